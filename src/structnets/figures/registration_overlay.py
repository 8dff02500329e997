"""A scan as it came and as it lies on the template, for the eye's quality control."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.figures.style import COLOURS, figure
from structnets.files import atomic_path
from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.subject import PreparedSubject
from structnets.imaging.template import load_template

# Slices in mm: through ventricles and thalamus, where a misplaced brain shows first.
_CUTS = ((0, -30), (0, 0), (1, -20), (1, 15), (2, 0), (2, 24))
# What the picture of a native scan, and of what was cut off, shows: one slice of each direction.
_FEW_CUTS = ((0, 0), (1, -20), (2, 24))
_WHITE_MATTER = 0.68
# Left and right of a picture of each direction; pictures are turned so that right is right.
_ENDS = (("P", "A"), ("L", "R"), ("L", "R"))


def draw_overlay(made: PreparedSubject, path: Path, title: str) -> None:
    """Draw slices of a scan on the template, and of the scan itself if it was registered here.

    The first row shows the registered volume with the outlines of the template's brain and white
    matter. In the second, the native scan with the template's brain brought to it, then the
    registered scan before it was stripped, with what was cut off of its own brain. Every picture
    says where left and right are.

    Parameters
    ----------
    made : PreparedSubject
        The scan.
    path : Path
        The PNG file.
    title : str
        Words above the slices.
    """
    native = made.facts["matrix"] is not None
    with figure(1 + native, len(_CUTS), (12.0, 5.2 if native else 2.6), squeeze=False) as (
        drawing,
        axes,
    ):
        for panel, (axis, place) in zip(axes[0], _CUTS, strict=True):
            _registered(panel, made.volume, axis, place)
        if native:
            for panel, (axis, place) in zip(axes[1][:3], _FEW_CUTS, strict=True):
                _native(panel, made, axis, place)
            for panel, (axis, place) in zip(axes[1][3:], _FEW_CUTS, strict=True):
                _cut_off(panel, made, axis, place)
        drawing.suptitle(title, fontsize=9, x=0.01, ha="left")
        with atomic_path(path) as temporary:
            drawing.savefig(temporary, format="png", dpi=100, metadata={"Software": None})


def _registered(panel: Any, volume: np.ndarray, axis: int, place: float) -> None:
    template, index = load_template(), _index(axis, place)
    _show(panel, np.take(volume, index, axis), _bright(volume), axis)
    _outline(panel, np.take(template.mask, index, axis), COLOURS[4])
    white = np.take(template.data, index, axis)
    panel.contour(white.T, levels=[_WHITE_MATTER], colors=[COLOURS[1]], linewidths=0.6)
    side = ("", "", "")
    if axis == 0 and place:
        side = (" (left half)" if place < 0 else " (right half)", "", "")
    panel.set_title(f"{'xyz'[axis]} = {place} mm{side[axis]}", fontsize=8, fontweight="normal")


def _native(panel: Any, made: PreparedSubject, axis: int, place: float) -> None:
    """Draw a slice of the native scan through a point of the template, with its brain's outline."""
    scan, matrix = made.native, np.array(made.facts["matrix"])
    point = np.array([0.0, -18.0, 8.0, 1.0])
    point[axis] = place
    back = np.linalg.inv(scan.affine)
    index = int(np.clip(np.rint((back @ matrix @ point)[axis]), 0, scan.data.shape[axis] - 1))
    grid: Any = np.indices([1 if n == axis else size for n, size in enumerate(scan.data.shape)])
    grid[axis] = index
    voxels = np.concatenate([grid.reshape(3, -1), np.ones((1, grid[0].size))])
    to_template = np.linalg.inv(MNI_AFFINE) @ np.linalg.inv(matrix) @ scan.affine
    places = np.rint(to_template @ voxels)[:3].astype(int)
    mask = load_template().mask
    inside = ((places >= 0) & (places < np.array(mask.shape)[:, None])).all(axis=0)
    brain = np.zeros(grid[0].size, dtype=bool)
    brain[inside] = mask[tuple(places[:, inside])]
    picture = np.take(scan.data, index, axis)
    across, up = (size for n, size in enumerate(scan.zooms) if n != axis)
    bright = max(float(np.percentile(picture, 99.5)), 1e-12)
    _show(panel, picture, bright, axis, aspect=up / across)
    _outline(panel, brain.reshape(picture.shape), COLOURS[4])
    words = f"as it came (stored {scan.stored_axes})" if axis == 0 else "as it came"
    panel.set_title(words, fontsize=8, fontweight="normal")


def _cut_off(panel: Any, made: PreparedSubject, axis: int, place: float) -> None:
    """Draw the registered scan before it was stripped, with what its own brain loses tinted."""
    index, mask = _index(axis, place), load_template().mask
    _show(panel, np.take(made.whole, index, axis), _bright(made.whole), axis)
    _outline(panel, np.take(mask, index, axis), COLOURS[4])
    lost = made.facts["cut_off"]
    words = "nothing was cut off"
    if lost is not None:
        gone = np.take(made.own & ~mask, index, axis)
        tint = np.zeros((*gone.T.shape, 4))
        tint[gone.T] = (0.84, 0.37, 0.0, 0.75)
        panel.imshow(tint, origin="lower")
        words = f"cut off: {lost:.1%}" if axis == 0 else "cut off"
    panel.set_title(words, fontsize=8, fontweight="normal")


def _show(
    panel: Any, picture: np.ndarray, bright: float, axis: int, aspect: float | str = "equal"
) -> None:
    """Draw a slice with up superior or anterior and right on the right, and say so."""
    panel.imshow(picture.T, cmap="gray", origin="lower", vmin=0, vmax=bright, aspect=aspect)
    style = {"color": "white", "fontsize": 8, "fontweight": "bold", "va": "center"}
    box = {"boxstyle": "round,pad=0.15", "facecolor": "black", "edgecolor": "none", "alpha": 0.6}
    for word, x, side in zip(_ENDS[axis], (0.02, 0.98), ("left", "right"), strict=True):
        panel.text(x, 0.5, word, transform=panel.transAxes, ha=side, bbox=box, **style)
    panel.set_axis_off()


def _outline(panel: Any, mask: np.ndarray, colour: str) -> None:
    if mask.any() and not mask.all():
        panel.contour(mask.T, levels=[0.5], colors=[colour], linewidths=0.9)


def _index(axis: int, place: float) -> int:
    return round((place - MNI_AFFINE[axis, 3]) / 2)


def _bright(volume: np.ndarray) -> float:
    return max(float(np.percentile(volume[load_template().mask], 99.5)), 1.0)
