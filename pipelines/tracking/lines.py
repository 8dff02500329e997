"""The vocabulary of a spool: what one JSON line says (standard library only).

Every line has ``do`` (open, metrics, tags, files, links, inputs, model, children, finish) and
``time`` (milliseconds since the epoch, taken when it happened, so that MLflow shows true times
however late it is told).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.tracking import origin
from pipelines.tracking.places import results_name
from structnets.files import sha256_file

STATUSES = ("FINISHED", "FAILED", "KILLED")

# What MLflow accepts as the name of a metric, parameter or tag (it refuses the whole batch else).
_NAME = re.compile(r"[\w\-./: ]+")


@dataclass(frozen=True)
class Identity:
    """What makes an MLflow run the one that is meant: a tag and its value in an experiment."""

    experiment: str
    tag: str
    value: str


def now() -> int:
    """Return the present time in milliseconds since the epoch."""
    return int(time.time() * 1000)


def text_of(value: Any) -> str:
    """Write a parameter or tag value: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def checked_name(name: str) -> str:
    """Return the name of a metric, parameter or tag if MLflow accepts it.

    Raises
    ------
    ValueError
        If it does not: better at the first step than never seen.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name {name!r}: only letters, digits, space and the characters _ - . / : are allowed"
        )
    return name


def flatten(content: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Flatten nested mappings to dotted names: ``{"a": {"b": 1}}`` becomes ``{"a.b": "1"}``.

    Raises
    ------
    ValueError
        If MLflow would refuse a name.
    """
    flat: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[checked_name(f"{prefix}{key}")] = text_of(value)
    return flat


def open_line(
    identity: Identity,
    params: Mapping[str, Any],
    tags: Mapping[str, Any],
    *,
    results: str | os.PathLike[str],
    parent: Identity | None = None,
    note: str = "",
    at: int | None = None,
) -> dict[str, Any]:
    """Say that an attempt at the run begins; the first such line makes the run.

    Parameters
    ----------
    note : str
        Description of the run, in Markdown.
    at : int, optional
        When it began, in milliseconds since the epoch; now by default.
    """
    own = origin.tags() | {"results_name": results_name(results)} | described(note)
    return {
        "do": "open",
        "time": at or now(),
        "identity": asdict(identity),
        "parent": asdict(parent) if parent else None,
        "params": flatten(params),
        "tags": own | flatten(tags),
    }


def described(note: str) -> dict[str, str]:
    """Return the tag that MLflow shows as a run's description; none for an empty one."""
    return {"mlflow.note.content": note} if note else {}


def metrics_line(step: int, values: Mapping[str, Any], at: int | None = None) -> dict[str, Any]:
    """Say the value of some metrics at one step.

    Raises
    ------
    TypeError
        If a value is not one number.
    ValueError
        If MLflow would refuse the name of a metric.
    """
    numbers: dict[str, float] = {}
    for name, value in values.items():
        checked_name(name)
        try:
            numbers[name] = float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(f"metric {name!r} at step {step} is {value!r}, not a number") from error
    return {"do": "metrics", "time": at or now(), "step": int(step), "values": numbers}


def tags_line(tags: Mapping[str, Any]) -> dict[str, Any]:
    """Say that some tags have (new) values."""
    return {"do": "tags", "time": now(), "tags": flatten(tags)}


def files_line(
    files: Mapping[str, str | os.PathLike[str]],
    results: str | os.PathLike[str],
    *,
    replace: bool = False,
) -> dict[str, Any]:
    """Say that files are artifacts of the run, with their checksums at this moment.

    Parameters
    ----------
    files : mapping
        Name of the artifact → file.
    results : path
        Root that the recorded paths are relative to.
    replace : bool
        Whether these are all the artifacts there are now (a new rendering), instead of more.

    Raises
    ------
    FileNotFoundError
        If one of the files does not exist.
    ValueError
        If a name contains ``/``: artifacts of a run are one flat folder.
    """
    root = Path(results).resolve()
    entries = {}
    for name, file in files.items():
        path = Path(file).resolve()
        if "/" in name:
            raise ValueError(f"artifact name {name!r} may not contain '/'; use the file's name")
        if not path.is_file():
            raise FileNotFoundError(f"artifact {name!r}: there is no file {path}")
        inside = path.is_relative_to(root)
        entries[name] = {
            "from": str(path),
            "path": path.relative_to(root).as_posix() if inside else str(path),
            "size": path.stat().st_size,
            "sha256": sha256_file(path),
        }
    return {"do": "files", "time": now(), "replace": replace, "files": entries}


def links_line(target: str, run_ids: Sequence[str], note: str = "") -> dict[str, Any]:
    """Say which training runs a rendering used; links to them follow its description."""
    before = [note, ""] if note else []
    return {
        "do": "links",
        "time": now(),
        "target": target,
        "run_ids": list(run_ids),
        "note": before,
    }


def inputs_line(datasets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say which data the run reads (`pipelines.tracking.datasets.inputs_of`)."""
    return {"do": "inputs", "time": now(), "datasets": [dict(one) for one in datasets]}


def model_line(
    folder: str | os.PathLike[str], prepared: str | os.PathLike[str], step: int
) -> dict[str, Any]:
    """Say that a published run has a net to log, as it was at a step.

    Parameters
    ----------
    folder, prepared : path
        Of the run, and the root of the prepared data.
    step : int
        The last of the training.
    """
    places = {"from": str(Path(folder).resolve()), "prepared": str(Path(prepared).resolve())}
    return {"do": "model", "time": now(), "step": int(step), **places}


def children_line(tag: str, values: Sequence[str]) -> dict[str, Any]:
    """Say which runs, by their values of a tag, are part of this one."""
    return {"do": "children", "time": now(), "tag": tag, "of": list(values)}


def view_line(tags: Mapping[str, str]) -> dict[str, Any]:
    """Say which saved views the run's experiment has (`pipelines.tracking.views`)."""
    return {"do": "view", "time": now(), "tags": dict(tags)}


def finish_line(status: str, at: int | None = None) -> dict[str, Any]:
    """Say how the attempt ended, and when, if not now.

    Raises
    ------
    ValueError
        If `status` is none of MLflow's.
    """
    if status not in STATUSES:
        raise ValueError(f"status is {status!r}; allowed: {', '.join(STATUSES)}")
    return {"do": "finish", "time": at or now(), "status": status}
