"""Remove what a study has made: runs, weights, prepared data, report, logs and MLflow entries.

Command: ``structnets forget STUDY [--yes]``. Without ``--yes`` it only says what there is.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from pipelines.tracking import store
from pipelines.tracking.experiments import CHAPTERS, TARGETS
from structnets.foreign.address import Address
from structnets.reporting.study_plan import Made, file_of, lists_folder, made_by, studies_of
from structnets.specs.cohort_study import is_cohort_study, load_cohort_study
from structnets.specs.study import load_study

log = logging.getLogger("forget")

EXAMPLES = (
    ("structnets forget my.yaml", "what a study has made, and how much disk it takes"),
    ("structnets forget my.yaml --yes", "remove it"),
)
NOTES = """\
The pictures or scans themselves and the file of the study stay. What another study has made too
stays."""


@dataclass(frozen=True)
class Forgotten:
    """What belongs to a study alone.

    Attributes
    ----------
    study : str
        Its name.
    paths : list of Path
        Files and folders that are there.
    runs : set of str
        Run ids.
    """

    study: str
    paths: list[Path]
    runs: set[str]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(map(_size, self.paths))


def belongings(study: str, results: Path, scratch: Path, prepared: Path) -> Forgotten:
    """Find what a study has made and no other study has.

    Raises
    ------
    ValueError
        If the study has made nothing below `scratch`.
    """
    known = studies_of(scratch)
    if study not in known:
        raise ValueError(
            f"no study {study!r} has run below {scratch}; there are: {', '.join(known) or 'none'}"
        )
    mine = made_by(study, scratch)
    others = [made_by(name, scratch) for name in known if name != study]
    alone = Made(
        *(
            getattr(mine, key.name) - set[str]().union(*(getattr(o, key.name) for o in others))
            for key in fields(Made)
        )
    )
    lists, asked = lists_folder(scratch), results / "asked"
    places = [
        results / "studies" / study,
        *(asked / name for name in (f"report_{study}", f"report_{study}.made")),
        scratch / "targets" / f"{study}-small",
        *(root / "runs" / run for run in alone.runs for root in (results, scratch)),
        *(prepared / n for name in alone.prepared for n in (name, f".{name}.building")),
        *(prepared / f".{name}.lock" for name in alone.prepared),
        *(lists / f"{digest}{end}" for digest in alone.lists for end in (".json", ".notes.json")),
        *(lists / name for name in alone.memories),
        *(prepared / "subjects" / name for name in alone.subjects),
        *_logs(study, alone, results / "logs"),
        lists / f"{study}.made.json",
    ]
    return Forgotten(study, [path for path in places if path.exists()], alone.runs)


def _logs(study: str, alone: Made, logs: Path) -> Iterator[Path]:
    """Yield the logs of a study's jobs, which have names of pictures and people."""
    yield logs / "report_study" / f"{study}.log"
    for name in alone.prepared:
        yield from (logs / stage / f"{name}.log" for stage in ("prepare", "prepare_mri"))
    yield from (logs / "prepare_mri_subject" / name for name in alone.subjects)
    # Jobs are called after the study and a digest; another study's name may begin as this one's.
    job = re.compile(rf"train_{study}_[0-9a-f]{{8}}\.(log|tsv)")
    for folder in (logs / "train", *logs.glob("benchmarks*")):
        yield from (path for path in folder.glob("*") if job.fullmatch(path.name))


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())


def forget(found: Forgotten, results: Path, uri: str | None = None) -> int:
    """Remove it, MLflow's entries first; return how many of those there were."""
    where = store.resolve_uri(uri, results)
    entries = list(_entries(found, where)) if store.exists(where) else []
    if entries:
        client = store.connect(where)
        for entry in entries:
            client.delete_run(entry)
        _empty_bin(where, entries)
    # The register goes last, so that what is interrupted can be called again.
    for path in found.paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(entries)


def _empty_bin(address: Address, entries: list[str]) -> None:
    """Remove deleted runs with their files for good; until then MLflow only hides them."""
    if address.file is None:
        log.warning(
            "the entries are deleted; their files stay on the server until its owner calls "
            "mlflow gc --run-ids %s",
            ",".join(entries),
        )
        return
    uri = address.client
    call = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", uri, "--tracking-uri", uri]
    done = subprocess.run([*call, "--run-ids", ",".join(entries)], capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"mlflow gc failed: {done.stderr.strip().splitlines()[-1:]}")


def _entries(found: Forgotten, address: Address) -> Iterator[str]:
    """Yield MLflow's ids of the runs of a study, and of its report."""
    names = {*found.runs, found.study, f"{found.study}-small"}
    for run in store.all_runs(store.connect(address), (*CHAPTERS, TARGETS)):
        tags = run.data.tags
        named = {tags.get(tag) for tag in ("run_id", "render_id")}
        if names & named:
            yield run.info.run_id


def command(
    study: Annotated[str, typer.Argument(help="name of a study, or its YAML file")],
    results: Annotated[Path, typer.Option(help="root of the results")] = Path("results"),
    scratch: Annotated[Path, typer.Option(help="root of the working state")] = Path("scratch"),
    prepared: Annotated[Path, typer.Option(help="root of the prepared data")] = Path(
        "data/prepared"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="remove it; else it is only said")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document")] = False,
) -> None:
    """Remove what a study has made."""
    file = Path(study)
    name = _named(file, scratch) if file.suffix in (".yaml", ".yml") else study
    found = belongings(name, results, scratch, prepared)
    size, entries = found.size, forget(found, results) if yes else None
    said = {
        "study": name,
        "runs": len(found.runs),
        "bytes": size,
        "paths": [str(path) for path in found.paths],
        "removed": yes,
        "mlflow": entries,
    }
    if as_json:
        print(json.dumps(said, indent=1, sort_keys=True))
        return
    did = "removed" if yes else "would remove"
    print(
        f"{did} {len(found.paths)} files and folders of the study {name}: {len(found.runs)} runs, "
        f"{size / 1e6:.1f} MB" + (f", {entries} entries of MLflow" if yes else "; say --yes")
    )


def _named(file: Path, scratch: Path) -> str:
    """Return the name of the study in a file; refuse one under whose name another has run."""
    name = (load_cohort_study(file) if is_cohort_study(file) else load_study(file)).study
    ran = file_of(name, scratch)
    if ran not in (None, file.resolve()):
        raise ValueError(
            f"what has run as {name} is of {ran}, not of {file}: to remove it all the same, give "
            f"the name, structnets forget {name}"
        )
    return name
