"""One run from resolved spec to published result: ``structnets train`` and the train stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from structnets.data.cohort import load_held_out
from structnets.data.prepared import load_manifest, load_split
from structnets.data.subset import train_indices, validation_split
from structnets.identity import run_id, spec_digest
from structnets.models.counting import collapsed_parameters, trained_parameters
from structnets.models.registry import create_model, data_options
from structnets.training import provenance
from structnets.training.arrays import Images
from structnets.training.artifacts import claim, publish
from structnets.training.evaluation import evaluate
from structnets.training.loop import GradientTraining, Position
from structnets.training.reporting import Progress, Reporter
from structnets.training.seeding import stream_seed
from structnets.training.workers import Workers


def run_spec(
    spec: dict[str, Any],
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
        Resolved spec (`structnets.specs`).
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
        If `work` holds another spec or other data, or the data do not fit the spec.
    """
    begun = time.monotonic()
    workers, device = Workers.current(), torch.device(device)
    torch.set_num_threads(threads)
    manifest = load_manifest(prepared)
    attempts = claim(work, spec, workers)
    # Read before training: the checkout may have moved on by the end.
    origin = {
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "code_digest": provenance.code_digest(spec),
        "data_digest": manifest["digest"],
    }
    name = run_id(spec)
    reporter = reporter or Progress(name)
    splits = load_images(spec, prepared, manifest)
    reported = splits[spec["recipe"]["evaluation"]["split"]]
    if spec["recipe"]["kind"] == "gradient":
        training = _training(spec, manifest, splits, work, origin, reporter, device)
        model, position, origin = training.model, training.run(), training.origin
        found: dict[str, float] = {}
        measured = evaluate(model, reported, device)
    else:
        model, position, found = _fit(spec, manifest, splits["train"])
        measured = evaluate(model, reported, torch.device("cpu"))
    result = {
        "run_id": name,
        "spec": spec,
        "spec_digest": spec_digest(spec),
        "preset": spec["preset"],
        "metrics": {
            "accuracy": measured.accuracy,
            "error": 100 - measured.accuracy,
            "loss": measured.loss,
            **found,
        },
        "confusion": measured.confusion,
        "curve": "curves.csv",
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
        publish(out, result, model, position.curve)
    workers.barrier()
    return result


def build_model(spec: dict[str, Any], manifest: dict[str, Any]) -> nn.Module:
    """Build the model of a spec for a prepared data set, initialised from the spec's seed."""
    torch.manual_seed(stream_seed(spec["seed"], "initialisation"))
    name = spec["model"]["name"]
    decided = data_options(name, len(manifest["classes"]), manifest["image_shape"])
    return create_model(name, **{**decided, **spec["model"]["options"]})


def load_images(
    spec: dict[str, Any], prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the images a spec uses: ``train``, ``test``, and ``validation`` if it holds some out.

    A cohort has no test set of its own: the fold that belongs to the spec's seed takes its place.

    Raises
    ------
    ValueError
        If the recipe standardises images whose manifest states no statistics.
    """
    statistics = None
    if spec["recipe"].get("standardize"):
        statistics = manifest.get("statistics")
        if statistics is None:
            raise ValueError(
                f"recipe.standardize needs mean and std in {prepared / 'manifest.json'}, which "
                f"{manifest['dataset']} does not have: leave it out"
            )
    if manifest.get("form") == "cohort":
        dealt = load_held_out(prepared, spec["seed"])
        images, labels = test_images, test_labels = dealt.volumes, dealt.labels
        chosen, every = dealt.train, dealt.test
    else:
        images, labels = load_split(prepared, "train")
        chosen = train_indices(len(labels), spec["data"]["train_size"], spec["seed"])
        test_images, test_labels = load_split(prepared, "test")
        every = train_indices(len(test_labels), None, 0)
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    chosen, held = validation_split(chosen, fraction, spec["seed"])
    splits = {
        "train": Images(images, labels, chosen, statistics),
        "test": Images(test_images, test_labels, every, statistics),
    }
    if fraction:
        splits["validation"] = Images(images, labels, held, statistics)
    return splits


def _training(
    spec: dict[str, Any],
    manifest: dict[str, Any],
    splits: dict[str, Images],
    work: Path,
    origin: dict[str, Any],
    reporter: Reporter,
    device: torch.device,
) -> GradientTraining:
    model = build_model(spec, manifest).to(device)
    identity = {"spec_digest": spec_digest(spec), "data_digest": manifest["digest"]}
    return GradientTraining(
        spec,
        model,
        splits["train"],
        splits.get("validation"),
        work / "checkpoints",
        identity,
        origin,
        reporter,
    )


def _fit(
    spec: dict[str, Any], manifest: dict[str, Any], train: Images
) -> tuple[nn.Module, Position, dict[str, float]]:
    from structnets.training import closed_form

    features_of = build_model(spec, manifest)
    begun = time.monotonic()
    features, labels = closed_form.extract(features_of, train)
    classifier, chosen = closed_form.fit(
        spec["recipe"], features, labels, len(manifest["classes"]), spec["seed"]
    )
    position = Position(seconds=time.monotonic() - begun)
    found = {f"cv_{key}": value for key, value in chosen.items()}
    return nn.Sequential(features_of, classifier), position, found
