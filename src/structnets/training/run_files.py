"""What a run claims and what it leaves: its work folder, and the files it publishes.

Importing this imports no torch, since stages ask what is already there before they start one.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.files import read_json, write_atomic, write_json
from structnets.identity import science, spec_digest
from structnets.specs.resolved import ResolvedSpec
from structnets.training.stated_result import read_result

if TYPE_CHECKING:
    from torch import nn

    from structnets.forms.workers import Workers

ARTIFACTS = ("result.json", "model.pt", "curves.csv", "spec.json")


def is_published(out: Path, spec: ResolvedSpec) -> bool:
    """Say whether a run is already there, whole and of this very spec.

    Raises
    ------
    ValueError
        If its ``result.json`` is damaged, or states something else than its folder and spec.
    """
    if not all((out / name).is_file() for name in ARTIFACTS):
        return False
    return read_result(out / "result.json")["spec_digest"] == spec_digest(spec)


def check_work(work: Path, spec: ResolvedSpec) -> None:
    """Refuse a work folder that holds a run of another spec.

    Raises
    ------
    ValueError
        Naming the folder.
    """
    kept = work / "spec.json"
    if kept.exists() and science(read_json(kept)) != science(spec):
        raise ValueError(
            f"{work} holds a run of another spec (see {kept}): give the edited spec a folder of "
            "its own"
        )


def claim(work: Path, spec: ResolvedSpec, workers: Workers) -> int:
    """Check that the work folder belongs to this spec; count and return the attempt."""
    check_work(work, spec)
    kept = work / "spec.json"
    tally = work / "attempts.json"
    attempts = (read_json(tally) if tally.exists() else 0) + 1
    workers.barrier()
    if workers.rank == 0:
        write_json(kept, spec)
        write_json(tally, attempts)
    return attempts


def publish(
    out: Path,
    result: dict[str, Any],
    model: nn.Module,
    curve: list[dict[str, float]],
    inputs: dict[str, Any],
) -> None:
    """Write the artifacts, the result last: its presence says that all are there.

    The weights' file also says how a picture becomes an input
    (`structnets.training.input_facts`), and the digest of its weights, which the result states.
    """
    from structnets.training.tensor_files import save_tensors

    write_json(out / "spec.json", result["spec"])
    write_atomic(out / "curves.csv", _csv(curve))
    content = {"spec": result["spec"], "state_dict": _plain(model), "input": inputs}
    save_tensors(out / "model.pt", {**content, "weights_digest": result["weights_digest"]})
    write_json(out / "result.json", result)


def _plain(model: nn.Module) -> dict[str, Any]:
    import torch

    return {
        key: value.cpu() if torch.is_tensor(value) else value
        for key, value in model.state_dict().items()
    }


def _csv(curve: list[dict[str, float]]) -> str:
    columns = ["epoch", "step", "train_loss", "lr", "images_per_s"]
    measured = sorted({key for row in curve for key in row} - set(columns)) or ["val_accuracy"]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, *measured], restval="", lineterminator=os.linesep)
    writer.writeheader()
    writer.writerows(curve)
    return text.getvalue()
