"""One run from resolved spec to published result: ``structnets train`` and the train stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from structnets.data.batches.examples import Examples
from structnets.data.batches.seeding import seed_initialisation
from structnets.data.prepared.manifest import load_manifest
from structnets.forms.asked_data import refuse_other_data
from structnets.forms.tasks import Task, make_task, open_examples
from structnets.forms.workers import Workers
from structnets.identity import run_id, spec_digest
from structnets.models.counting import collapsed_parameters, trained_parameters
from structnets.models.registry import create_for_spec
from structnets.specs.resolved import ClosedFormSpec, GradientSpec, ResolvedSpec, RidgeSpec
from structnets.training import provenance
from structnets.training.code_digest import code_digest
from structnets.training.fixed_stage import past_fixed_stage
from structnets.training.freed_memory import keep_freed_memory
from structnets.training.input_facts import input_facts
from structnets.training.loop import GradientTraining, Position
from structnets.training.reporting import Progress, Reporter
from structnets.training.run_files import claim, publish
from structnets.training.weights_digest import weights_digest

FIRST_EPOCHS = 5
"""How many epochs' losses a result states, so that it can be confirmed without its files."""


def run_spec(
    spec: ResolvedSpec,
    prepared: Path,
    out: Path,
    work: Path,
    *,
    reporter: Reporter | None = None,
    device: torch.device | str = "cpu",
    threads: int = 1,
    extra: Callable[[], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """Train and measure one resolved spec; publish its artifacts.

    Call it in every process of a group (torchrun, Ray Train) or in a single process.

    Parameters
    ----------
    spec : dict
        Resolved spec (`structnets.specs.spec`).
    prepared : Path
        Folder of the prepared data set.
    out : Path
        Where ``result.json, model.pt, curves.csv, spec.json`` appear at the end.
    work : Path
        Folder of the checkpoints; a run found there is continued.
    reporter : Reporter, optional
        Told about epochs; prints progress by default.
    device : torch.device
        Where to train.
    threads : int
        Threads of this process, fixed because sums depend on their number.
    extra : callable, optional
        Asked at the end for more entries of ``result.json``.

    Returns
    -------
    dict
        The content of ``result.json``.

    Raises
    ------
    ValueError
        If `work` holds another spec or other data, or the data are not those of the spec.
    """
    begun = time.monotonic()
    workers, device = Workers.current(), torch.device(device)
    torch.set_num_threads(threads)
    keep_freed_memory()
    manifest = load_manifest(prepared)
    refuse_other_data(spec, manifest, prepared)
    attempts = claim(work, spec, workers)
    # Read before training: the checkout may have moved on by the end.
    origin = {
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "code_digest": code_digest(spec),
        "data_digest": manifest["digest"],
        # How many scans were used and left out, of data whose preparation decides on each.
        "data_counts": manifest["source"].get("counts"),
    }
    name = run_id(spec)
    reporter = reporter or Progress(name)
    splits, task = open_examples(spec, prepared, manifest), make_task(spec, manifest)
    if spec["recipe"]["kind"] == "gradient":
        model = build_model(spec, manifest).to(device)
        splits = {key: past_fixed_stage(model, part, spec) for key, part in splits.items()}
        training = _training(
            cast("GradientSpec", spec), manifest, model, task, splits, work, origin, reporter
        )
        position, origin = training.run(), training.origin
        where, found = device, {}
    else:
        model, position, found = _fit(
            cast("ClosedFormSpec | RidgeSpec", spec), manifest, splits["train"]
        )
        where = torch.device("cpu")
    reported = splits[spec["recipe"]["evaluation"]["split"]]
    measured = task.measure(model, reported, where)
    result = {
        "run_id": name,
        "spec": spec,
        "spec_digest": spec_digest(spec),
        "preset": spec["preset"],
        "metrics": {**measured.metrics, **found},
        **measured.details,
        "labels": _labels(reported) if measured.details.get("log_odds") else None,
        "curve": "curves.csv",
        "losses": position.losses,
        "first_losses": [row["train_loss"] for row in position.curve[:FIRST_EPOCHS]],
        "weights_digest": weights_digest(model.state_dict()),
        "parameters": {
            "trained": trained_parameters(model),
            "collapsed": collapsed_parameters(model),
        },
        "wall_s": time.monotonic() - begun,
        "train_s": position.seconds,
        "images_per_s": position.curve[-1]["images_per_s"] if position.curve else None,
        "peak_memory_mb": provenance.peak_memory_mb(device),
        "hardware": provenance.hardware(device, threads, workers.size),
        **origin,
        "attempts": attempts,
        **extra(),
    }
    if workers.rank == 0:
        publish(out, result, model, position.curve, input_facts(spec, manifest))
    workers.barrier()
    return result


def build_model(spec: ResolvedSpec, manifest: dict[str, Any]) -> nn.Module:
    """Build the model of a spec for a prepared data set, initialised from the spec's seed."""
    seed_initialisation(spec["seed"])
    return create_for_spec(spec, len(manifest.get("classes", ())), manifest["image_shape"])


def _training(
    spec: GradientSpec,
    manifest: dict[str, Any],
    model: nn.Module,
    task: Task,
    splits: dict[str, Examples],
    work: Path,
    origin: dict[str, Any],
    reporter: Reporter,
) -> GradientTraining:
    identity = {"spec_digest": spec_digest(spec), "data_digest": manifest["digest"]}
    return GradientTraining(
        spec,
        model,
        task,
        splits["train"],
        splits.get("validation"),
        work / "checkpoints",
        identity,
        origin,
        reporter,
    )


def _labels(examples: Examples) -> list[int]:
    """Return what the log-odds of two classes are to be compared with, in the same order."""
    batches = (examples.batch(np.array([i]), torch.device("cpu"))[1] for i in range(len(examples)))
    return [int(label) for labels in batches for label in labels]


def _fit(
    spec: ClosedFormSpec | RidgeSpec, manifest: dict[str, Any], train: Examples
) -> tuple[nn.Module, Position, dict[str, float]]:
    from structnets.training import closed_form, ridge

    features_of = build_model(spec, manifest)
    begun = time.monotonic()
    features, labels = closed_form.extract(features_of, train)
    recipe, seed = spec["recipe"], spec["seed"]
    fitted: nn.Module
    if recipe["kind"] == "ridge":
        fitted, chosen = ridge.fit(recipe, features, labels, seed)
    else:
        fitted, chosen = closed_form.fit(recipe, features, labels, len(manifest["classes"]), seed)
    position = Position(seconds=time.monotonic() - begun)
    found = {f"cv_{key}": value for key, value in chosen.items()}
    return nn.Sequential(features_of, fitted), position, found
