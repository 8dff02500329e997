"""Figure 11: boundary detectors beside what people drew."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from structnets.analysis.boundary_views import probabilities
from structnets.analysis.trained import Trained
from structnets.figures.boundary_runs import as_map, boundary_images, scores
from structnets.figures.context import Context, Measured
from structnets.figures.detections.draw import draw_detections
from structnets.figures.detections.options import Detections
from structnets.figures.picture_grid import Panel, PictureRow
from structnets.figures.precision_recall import PrecisionRecall
from structnets.specs.resolved import DetectionSpec
from structnets.training.stated_result import read_result

_ANNOTATORS = 4


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
    return [score for run in context.runs for score in scores(run, ("ods", "ois", "ap"))]


def _detection_row(runs: list[Trained], position: int) -> PictureRow:
    examples = boundary_images(runs[0])
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

    strength = as_map(probabilities(run.model, images))
    numbers = SUPPRESSIONS[cast("DetectionSpec", run.spec)["recipe"]["boundaries"]["nms"]]
    return strength if numbers is None else suppress(strength, numbers)


def _result(run: Trained) -> dict[str, Any]:
    return read_result(run.folder / "result.json")["boundaries"]


def _curve(run: Trained) -> PrecisionRecall:
    found = _result(run)
    recall, precision = (
        [point[key] for point in found["curve"]] for key in ("recall", "precision")
    )
    best = found["ods"]
    label = f"{run.label}, F = {best['f']:.3f}"
    return PrecisionRecall(label, recall, precision, (best["recall"], best["precision"]))
