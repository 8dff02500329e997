"""Outlines in made images, whose true ones are known, and in a photograph, where none are."""

from __future__ import annotations

import numpy as np
import torch

from structnets.analysis.boundary_views import gradient_magnitude, probabilities
from structnets.analysis.trained import Trained
from structnets.figures.boundary_runs import as_map, boundary_images, scores
from structnets.figures.context import Context, Measured
from structnets.figures.outlines.options import Outlines
from structnets.figures.picture_grid import Panel, PictureRow, draw_picture_grid
from structnets.figures.style import save_csv
from structnets.nn.dynamic_steerable import DynamicSteerableBlock

_COLUMNS = ("image", "gradient", "found", "true outline")
_PIXELS = 3  # of the photograph in one of what the net sees, whose scale is that of made images


def outlines(context: Context, options: Outlines) -> list[Measured]:
    """Draw what a net sees and finds, a row an image; below them the photograph.

    Found is shown from an even chance (white) to certainty (black): the gradient says nothing where
    it vanishes. The F-score is of the run's whole test set.

    Raises
    ------
    ValueError
        If the net is no single dynamic block.
    """
    (run,) = context.runs
    examples = boundary_images(run)
    rows = []
    for position in range(min(options.images, len(examples))):
        images, targets = examples.batch(np.array([position]), run.device)
        target = Panel(as_map(targets[:, 0]), "strength")
        rows.append(PictureRow("made", [*_seen_and_found(run, images), target]))
    photograph = torch.from_numpy(load_coins())[None, None].to(run.device)
    rows.append(PictureRow("photographed", [*_seen_and_found(run, photograph), None]))
    measured = scores(run, ("ods",))
    score = measured[0]
    note = (
        f"F-score of the made outlines {score.value:.2f}, on {score.n} images it has not seen, "
        "by one threshold for all. It was trained on made images alone. Nobody drew the outlines "
        "of the coins (a photograph of scikit-image), so nothing is measured there."
    )
    draw_picture_grid(_COLUMNS, rows, context.stem, title=context.title, note=note)
    lines = [{"name": each.name, "value": each.value, "images": each.n} for each in measured]
    save_csv(context.stem, ("name", "value", "images"), lines)
    return measured


def load_coins() -> np.ndarray:
    """Return scikit-image's photograph of coins, reduced: (101, 128) float32 in 0..1."""
    from skimage import data

    coins = np.asarray(data.coins(), dtype=np.float32)
    height, width = (side // _PIXELS for side in coins.shape)
    squares = coins[: height * _PIXELS, : width * _PIXELS].reshape(height, _PIXELS, width, _PIXELS)
    small = squares.mean(axis=(1, 3))
    return (small - small.min()) / (small.max() - small.min())


def _seen_and_found(run: Trained, images: torch.Tensor) -> list[Panel]:
    block = getattr(run.model, "block", None)
    if not isinstance(block, DynamicSteerableBlock):
        raise ValueError(
            f"{run.key} is a {type(run.model).__name__}; the outlines show a single dynamic block"
        )
    found = np.clip(2 * as_map(probabilities(run.model, images)) - 1, 0, 1)
    return [
        Panel(as_map(images[:, 0]), "image"),
        Panel(as_map(gradient_magnitude(block, images)), "magnitude"),
        Panel(found, "strength"),
    ]
