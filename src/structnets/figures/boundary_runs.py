"""Test images, scores and maps of trained boundary detectors, for Figures 10 and 11."""

from __future__ import annotations

import numpy as np
import torch

from structnets.analysis.trained import Trained
from structnets.figures.context import Measured
from structnets.forms.boundaries.images import BoundaryImages
from structnets.training.stated_result import read_result


def boundary_images(run: Trained) -> BoundaryImages:
    """Return the test images of a run.

    Raises
    ------
    ValueError
        If they have no boundaries.
    """
    images = run.splits["test"]
    if not isinstance(images, BoundaryImages):
        raise ValueError(f"{run.key} was trained on {run.data}, which has no boundaries")
    return images


def as_map(values: torch.Tensor) -> np.ndarray:
    """Return the first map of a batch, (H, W), as float64."""
    return values[0].double().cpu().numpy()


def scores(run: Trained, names: tuple[str, ...]) -> list[Measured]:
    """Return metrics of a run's whole test set under the names of a figure's values."""
    metrics = read_result(run.folder / "result.json")["metrics"]
    return [
        Measured(f"{run.key}.{name}", metrics[name], len(boundary_images(run))) for name in names
    ]
