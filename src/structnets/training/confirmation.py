"""Whether today's code computes what an earlier run computed, without repeating all of it.

The code of a run changes without its arithmetic: a loop learns of other tasks, an evaluation
reads other batches. A finished run is then confirmed by training its first epochs anew: their
losses are those its ledger line states. Where its weights are at hand, or where it is short enough
to be repeated as a whole, its score is compared too. Only then is the run as good as one made
today.
"""

from __future__ import annotations

import contextlib
import csv
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from structnets.data.prepared.manifest import load_manifest
from structnets.entries import refuse_foreign
from structnets.forms.tasks import make_task, open_examples
from structnets.training.fixed_stage import past_fixed_stage
from structnets.training.loop import GradientTraining
from structnets.training.reporting import StoppedError
from structnets.training.run import FIRST_EPOCHS, build_model
from structnets.training.tensor_files import model_content, read_model
from structnets.training.weights_digest import weights_digest

_LOSS_ROUNDING = 1e-5  # of an evaluation whose batches have another size


@dataclass(frozen=True)
class Confirmation:
    """What came of a comparison.

    Attributes
    ----------
    differences : list of str
        What differs, one sentence each; empty if the run is confirmed.
    epochs : int
        How many losses were compared.
    equal : bool
        Whether they are equal to the bit.
    tolerance : float
        Relative difference up to which they counted as equal.
    score : {'published weights', 'weights trained anew', 'not compared'}
        Of what the score was compared.
    line : dict
        The run's line, with what its published files tell besides: the next comparison needs none.
    """

    differences: list[str]
    epochs: int
    equal: bool
    tolerance: float
    score: Literal["published weights", "weights trained anew", "not compared"]
    line: dict[str, Any] = field(default_factory=dict, compare=False)

    def record(self) -> dict[str, Any]:
        """Return what a ledger line says of it."""
        losses = "equal to the bit" if self.equal else f"within {self.tolerance:g}"
        return {"epochs": self.epochs, "losses": losses, "score": self.score}


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


def confirm(
    line: dict[str, Any],
    prepared: Path,
    published: Path | None = None,
    *,
    epochs: int = 2,
    tolerance: float = 0.0,
    trusted: Iterable[str] = (),
) -> Confirmation:
    """Compare a run with what today's code computes, on one processor.

    Parameters
    ----------
    line : dict
        Its ledger line, or the content of its ``result.json``.
    prepared : pathlib.Path
        Folder of its prepared data.
    published : pathlib.Path, optional
        Folder of its ``model.pt`` and ``curves.csv``, if they are at hand. A line without
        ``first_losses`` needs them.
    epochs : int
        How many of the first epochs are trained anew; from as many as the recipe has, all is
        repeated.
    tolerance : float
        Relative difference of losses that is let pass, where only rounding may differ.
    trusted : iterable of str
        Objects outside this library (``package.module:object``) that the run may be made with.

    Raises
    ------
    ValueError
        If the run names an object that is not trusted, or cannot be compared: it was fitted in
        closed form, trained on a GPU or by several workers, or on other data than `prepared`
        holds; or there are no losses.
    """
    spec, hardware = line["spec"], line["hardware"]
    refuse_foreign(spec, trusted, f"run {line['run_id']}")
    manifest = load_manifest(prepared)
    _check_comparable(line, manifest)
    if epochs < 1 or tolerance < 0:
        raise ValueError(f"epochs is {epochs}, tolerance {tolerance}: needed are >= 1 and >= 0")
    line = {**(published_facts(published) if published else {}), **line}
    before = line.get("first_losses")
    if not before:
        raise ValueError(
            f"the ledger line of {line['run_id']} holds no first losses, and its curves.csv is not "
            "at hand: give the folder of its results, or train it anew"
        )
    torch.set_num_threads(hardware["threads"])
    splits, task = open_examples(spec, prepared, manifest), make_task(spec, manifest)
    model = build_model(spec, manifest)
    splits = {key: past_fixed_stage(model, part, spec) for key, part in splits.items()}
    whole = epochs >= spec["recipe"]["epochs"]
    first = _FirstEpochs(epochs if whole else min(epochs, len(before)))
    with tempfile.TemporaryDirectory() as scratch:
        training = GradientTraining(
            *(spec, model, task, splits["train"], splits.get("validation")),
            *(Path(scratch), {}, {}, first),
        )
        with contextlib.suppress(StoppedError):
            training.run()
    differences, equal = _compare_losses(first.losses, before, tolerance)
    if differences:
        differences += _other_instructions(hardware)
    score: Literal["published weights", "weights trained anew", "not compared"] = "not compared"
    weights = published / "model.pt" if published else None
    if weights is not None and weights.is_file():
        score = "published weights"
        model.load_state_dict(_weights(weights))
    elif whole and equal:
        score = "weights trained anew"
    if score != "not compared":
        stated = line.get("weights_digest")
        if stated and weights_digest(model.state_dict()) != stated:
            differences.append(f"the {score} are not the line's")
        reported = splits[spec["recipe"]["evaluation"]["split"]]
        measured = task.measure(model, reported, torch.device("cpu")).metrics
        differences += _compare_metrics(measured, line["metrics"])
    compared = min(len(first.losses), len(before))
    return Confirmation(differences, compared, equal, tolerance, score, line)


def published_facts(folder: Path) -> dict[str, Any]:
    """Return ``first_losses`` and ``weights_digest`` of a published run, as far as it has files.

    Parameters
    ----------
    folder : pathlib.Path
        Of ``curves.csv`` and ``model.pt``.
    """
    facts: dict[str, Any] = {}
    curves, model = folder / "curves.csv", folder / "model.pt"
    if curves.is_file():
        with curves.open(newline="") as file:
            losses = [float(row["train_loss"]) for row in csv.DictReader(file)]
        facts["first_losses"] = losses[:FIRST_EPOCHS]
    if model.is_file():
        content = model_content(model)  # which compares what it states with its weights
        facts["weights_digest"] = content.get("weights_digest") or weights_digest(
            content["state_dict"]
        )
    return facts


def _check_comparable(line: dict[str, Any], manifest: dict[str, Any]) -> None:
    run, hardware = line["run_id"], line["hardware"]
    if line["spec"]["recipe"]["kind"] != "gradient":
        raise ValueError(f"{run} was fitted in closed form: fit it anew instead")
    if hardware["class"] != "cpu" or hardware["world_size"] != 1:
        raise ValueError(f"{run} was not trained by one worker on a processor: train it anew")
    if manifest["digest"] != line["data_digest"]:
        raise ValueError(f"{run} was trained on other data than {manifest['dataset']} is now")


def _other_instructions(hardware: dict[str, Any]) -> list[str]:
    """Say what to try where a run's processor may have rounded otherwise than this one."""
    here = torch.backends.cpu.get_cpu_capability()
    there = hardware.get("instructions", "unknown")
    if here == there:
        return []
    return [
        f"the instructions of its processor are {there}, of this one {here}, and sums of more "
        "numbers at once are rounded otherwise: compare again with ONEDNN_MAX_CPU_ISA=AVX2 and "
        "ATEN_CPU_CAPABILITY=avx2 in the environment, if it was trained with AVX2"
    ]


def _weights(path: Path) -> dict[str, Any]:
    return read_model(path)[1]


def _compare_losses(
    losses: list[float], before: list[float], tolerance: float
) -> tuple[list[str], bool]:
    """Return what differs by more than rounding, and whether nothing differs at all."""
    pairs = list(zip(losses, before, strict=False))
    differences = [
        f"the training loss of epoch {epoch} was {old!r} and is {new!r}"
        for epoch, (new, old) in enumerate(pairs, start=1)
        if abs(new - old) > tolerance * abs(old)
    ]
    return differences, all(new == old for new, old in pairs)


def _compare_metrics(measured: dict[str, float], before: dict[str, float]) -> list[str]:
    differences = []
    for name, old in before.items():
        new = measured.get(name)
        rounding = _LOSS_ROUNDING * abs(old) if name == "loss" else 1e-9
        if new is None or abs(new - old) > rounding:
            differences.append(f"{name} of the weights was {old!r} and is {new!r}")
    return differences
