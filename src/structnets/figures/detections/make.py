"""Figures 10 and 11: what boundary detectors see, choose and answer."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from structnets.analysis.boundary_views import gradient_magnitude, pose_angles, probabilities
from structnets.figures.context import Context, Measured, Trained
from structnets.figures.detections.draw import draw_detections
from structnets.figures.options import BlobPictures, Detections
from structnets.figures.picture_grid import Panel, PictureRow, draw_picture_grid
from structnets.figures.precision_recall import PrecisionRecall
from structnets.figures.style import save_csv
from structnets.files import read_json
from structnets.forms.boundaries.images import BoundaryImages
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.specs.resolved import DetectionSpec

_ANNOTATORS = 4


def blob_pictures(context: Context, options: BlobPictures) -> list[Measured]:
    """Draw input, gradient magnitude, answers, pose and target (Figure 10), a row an image.

    Runs on the same data share rows. The F-scores are of each run's whole test set.
    """
    by_data: dict[str, list[Trained]] = {}
    for run in context.runs:
        by_data.setdefault(run.data, []).append(run)
    columns: list[str] = []
    rows = []
    for runs in by_data.values():
        for position in range(options.images):
            panels = _blob_panels(runs, position)
            columns = columns or list(panels)
            label = runs[0].manifest["difficulty"]
            rows.append(PictureRow(label, [panels.get(name) for name in columns]))
    words = {"title": context.title, "note": context.note}
    draw_picture_grid(columns, rows, context.stem, **words)
    measured = [score for run in context.runs for score in _scores(run, ("ods", "ois", "ap"))]
    _save_scores(context, measured)
    return measured


def _blob_panels(runs: list[Trained], position: int) -> dict[str, Panel]:
    images, targets = _test_images(runs[0]).batch(np.array([position]), runs[0].device)
    panels = {"Input": Panel(_map(images[:, 0]), "image")}
    for run in runs:
        block = _gradient_block(run)
        if block is not None:
            magnitude = _map(gradient_magnitude(block, images))
            panels.setdefault("Magnitude", Panel(magnitude, "magnitude"))
        panels[run.label] = Panel(_map(probabilities(run.model, images)), "strength")
        if block is not None:
            panels[f"Pose of {run.label}"] = Panel(_map(pose_angles(run.model, images)), "angle")
    return {**panels, "Target": Panel(_map(targets[:, 0]), "strength")}


def _gradient_block(run: Trained) -> DynamicSteerableBlock | None:
    found = getattr(run.model, "block", None)
    return found if isinstance(found, DynamicSteerableBlock) else None


def detections(context: Context, options: Detections) -> list[Measured]:
    """Draw the curves of detectors, and what they find beside what people drew (Figure 11).

    The images are those between the best and the worst of the first run, evenly by rank. A map
    is shown as the benchmark compares it, after suppression.
    """
    first = context.runs[0]
    ranked = np.argsort([-image["f"] for image in _result(first)["images"]], kind="stable")
    count = min(options.images, len(ranked))
    chosen = ranked[np.linspace(0, len(ranked) - 1, count).round().astype(int)]
    annotators = [f"annotator {number + 1}" for number in range(_ANNOTATORS)]
    columns = ["image", *(run.label for run in context.runs), *annotators]
    rows = [_detection_row(context.runs, int(position)) for position in chosen]
    curves = [_curve(run) for run in context.runs]
    words = {"title": context.title, "note": context.note}
    draw_detections(curves, columns, rows, context.stem, **words)
    return [score for run in context.runs for score in _scores(run, ("ods", "ois", "ap"))]


def _detection_row(runs: list[Trained], position: int) -> PictureRow:
    examples = _test_images(runs[0])
    images, _ = examples.batch(np.array([position]), runs[0].device)
    shown = images[0].permute(1, 2, 0).cpu().numpy()
    truths = examples.truths(position)
    answers = [_strength(run, images) for run in runs]
    if examples.upright(position):
        shown, truths = shown.swapaxes(0, 1), truths.swapaxes(1, 2)
        answers = [answer.T for answer in answers]
    drawn = [Panel(truth.astype(float), "strength") for truth in truths[:_ANNOTATORS]]
    empty = [None] * (_ANNOTATORS - len(drawn))
    found = [Panel(answer, "strength") for answer in answers]
    return PictureRow(examples.name(position), [Panel(shown, "image"), *found, *drawn, *empty])


def _strength(run: Trained, images: torch.Tensor) -> np.ndarray:
    from structnets.metrics.boundary.suppression import SUPPRESSIONS, suppress

    strength = _map(probabilities(run.model, images))
    numbers = SUPPRESSIONS[cast("DetectionSpec", run.spec)["recipe"]["boundaries"]["nms"]]
    return strength if numbers is None else suppress(strength, numbers)


def _test_images(run: Trained) -> BoundaryImages:
    images = run.splits["test"]
    if not isinstance(images, BoundaryImages):
        raise ValueError(f"{run.key} was trained on {run.data}, which has no boundaries")
    return images


def _map(values: torch.Tensor) -> np.ndarray:
    return values[0].double().cpu().numpy()


def _result(run: Trained) -> dict[str, Any]:
    return read_json(run.folder / "result.json")["boundaries"]


def _curve(run: Trained) -> PrecisionRecall:
    found = _result(run)
    recall, precision = (
        [point[key] for point in found["curve"]] for key in ("recall", "precision")
    )
    best = found["ods"]
    label = f"{run.label}, F = {best['f']:.3f}"
    return PrecisionRecall(label, recall, precision, (best["recall"], best["precision"]))


def _scores(run: Trained, names: tuple[str, ...]) -> list[Measured]:
    metrics = read_json(run.folder / "result.json")["metrics"]
    return [Measured(f"{run.key}.{name}", metrics[name], len(_test_images(run))) for name in names]


def _save_scores(context: Context, measured: list[Measured]) -> None:
    rows = [{"name": each.name, "value": each.value, "images": each.n} for each in measured]
    save_csv(context.stem, ("name", "value", "images"), rows)
