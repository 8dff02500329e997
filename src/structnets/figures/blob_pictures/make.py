"""Figure 10: what small nets see, choose and answer on textured blobs."""

from __future__ import annotations

import numpy as np

from structnets.analysis.boundary_views import gradient_magnitude, pose_angles, probabilities
from structnets.analysis.trained import Trained
from structnets.figures.blob_pictures.options import BlobPictures
from structnets.figures.boundary_runs import as_map, boundary_images, scores
from structnets.figures.context import Context, Measured
from structnets.figures.picture_grid import Panel, PictureRow, draw_picture_grid
from structnets.figures.style import save_csv
from structnets.nn.dynamic_steerable import DynamicSteerableBlock


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
    measured = [score for run in context.runs for score in scores(run, ("ods", "ois", "ap"))]
    _save_scores(context, measured)
    return measured


def _blob_panels(runs: list[Trained], position: int) -> dict[str, Panel]:
    images, targets = boundary_images(runs[0]).batch(np.array([position]), runs[0].device)
    panels = {"Input": Panel(as_map(images[:, 0]), "image")}
    for run in runs:
        block = _gradient_block(run)
        if block is not None:
            magnitude = as_map(gradient_magnitude(block, images))
            panels.setdefault("Magnitude", Panel(magnitude, "magnitude"))
        panels[run.label] = Panel(as_map(probabilities(run.model, images)), "strength")
        if block is not None:
            panels[f"Pose of {run.label}"] = Panel(as_map(pose_angles(run.model, images)), "angle")
    return {**panels, "Target": Panel(as_map(targets[:, 0]), "strength")}


def _gradient_block(run: Trained) -> DynamicSteerableBlock | None:
    found = getattr(run.model, "block", None)
    return found if isinstance(found, DynamicSteerableBlock) else None


def _save_scores(context: Context, measured: list[Measured]) -> None:
    rows = [{"name": each.name, "value": each.value, "images": each.n} for each in measured]
    save_csv(context.stem, ("name", "value", "images"), rows)
