"""Whether today's code computes what an earlier run computed, without repeating all of it.

The code of a run changes without its arithmetic: a loop learns of other tasks, an evaluation
reads other batches. A finished run is then confirmed by two comparisons: its first epochs,
trained anew, have the published losses to the last bit, and its published weights have the
published score. Only then is the run as good as one made today.
"""

from __future__ import annotations

import contextlib
import csv
import tempfile
from pathlib import Path
from typing import Any

import torch

from structnets.data.prepared import load_manifest
from structnets.files import read_json
from structnets.training.loop import GradientTraining
from structnets.training.reporting import StoppedError
from structnets.training.run import build_model
from structnets.training.tasks import make_task, open_examples

_LOSS_ROUNDING = 1e-5  # of an evaluation whose batches have another size


class _FirstEpochs:
    """Reporter that stops a training after some epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.losses: list[float] = []

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        self.losses.append(row["train_loss"])

    def resumed(self, curve: list[dict[str, float]]) -> None:
        raise AssertionError("a confirmation begins at the first step")

    def stop_requested(self) -> bool:
        return len(self.losses) >= self.epochs


def confirm(published: Path, prepared: Path, epochs: int = 2) -> list[str]:
    """Compare a published run with what today's code computes, on one processor.

    Parameters
    ----------
    published : pathlib.Path
        Folder of ``result.json``, ``curves.csv`` and ``model.pt``.
    prepared : pathlib.Path
        Folder of its prepared data.
    epochs : int
        How many of the first epochs are trained anew.

    Returns
    -------
    list of str
        What differs, one sentence each; empty if the run is confirmed.

    Raises
    ------
    ValueError
        If the run cannot be compared: it was fitted in closed form, trained on a GPU or by
        several workers, or on other data than `prepared` holds.
    """
    result = read_json(published / "result.json")
    spec, hardware = result["spec"], result["hardware"]
    manifest = load_manifest(prepared)
    _check_comparable(result, manifest)
    torch.set_num_threads(hardware["threads"])
    splits, task = open_examples(spec, prepared, manifest), make_task(spec, manifest)
    model = build_model(spec, manifest)
    first = _FirstEpochs(epochs)
    with tempfile.TemporaryDirectory() as scratch:
        training = GradientTraining(
            *(spec, model, task, splits["train"], splits.get("validation")),
            *(Path(scratch), {}, {}, first),
        )
        with contextlib.suppress(StoppedError):
            training.run()
    differences = _compare_losses(first.losses, published / "curves.csv")
    model.load_state_dict(_weights(published / "model.pt"))
    reported = splits[spec["recipe"]["evaluation"]["split"]]
    measured = task.measure(model, reported, torch.device("cpu")).metrics
    return differences + _compare_metrics(measured, result["metrics"])


def _check_comparable(result: dict[str, Any], manifest: dict[str, Any]) -> None:
    run, hardware = result["run_id"], result["hardware"]
    if result["spec"]["recipe"]["kind"] != "gradient":
        raise ValueError(f"{run} was fitted in closed form: fit it anew instead")
    if hardware["class"] != "cpu" or hardware["world_size"] != 1:
        raise ValueError(f"{run} was not trained by one worker on a processor: train it anew")
    if manifest["digest"] != result["data_digest"]:
        raise ValueError(f"{run} was trained on other data than {manifest['dataset']} is now")


def _weights(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]


def _compare_losses(losses: list[float], curves: Path) -> list[str]:
    with curves.open(newline="") as file:
        before = [float(row["train_loss"]) for row in csv.DictReader(file)]
    return [
        f"the training loss of epoch {epoch} was {old!r} and is {new!r}"
        for epoch, (new, old) in enumerate(zip(losses, before, strict=False), start=1)
        if new != old
    ]


def _compare_metrics(measured: dict[str, float], before: dict[str, float]) -> list[str]:
    differences = []
    for name, old in before.items():
        new = measured.get(name)
        rounding = _LOSS_ROUNDING * abs(old) if name == "loss" else 1e-9
        if new is None or abs(new - old) > rounding:
            differences.append(f"{name} of the published weights was {old!r} and is {new!r}")
    return differences
