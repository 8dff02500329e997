"""A registered brain under the template's outline, for the eye's quality control."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from structnets.files import atomic_path
from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.template import load_template
from structnets.viz.style import COLOURS, figure

# Slices in mm: through ventricles and thalamus, where a misplaced brain shows first.
_CUTS = ((0, (0, -30)), (1, (-20, 15)), (2, (0, 24)))
_WHITE_MATTER = 0.68


def draw_overlay(volume: np.ndarray, path: Path, title: str) -> None:
    """Draw six slices of a volume with the outlines of the template's brain and white matter.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91) on the MNI152 2 mm grid.
    path : Path
        The PNG file.
    title : str
        Words above the slices.
    """
    template = load_template()
    bright = max(float(np.percentile(volume[template.mask], 99.5)), 1.0)
    cuts = [(axis, place) for axis, places in _CUTS for place in places]
    with figure(1, len(cuts), (12.0, 2.5), squeeze=False) as (drawing, axes):
        for panel, (axis, place) in zip(axes[0], cuts, strict=True):
            index = round((place - MNI_AFFINE[axis, 3]) / 2)
            # Transposed, so that up is superior or anterior and the right of the image is right.
            panel.imshow(
                np.take(volume, index, axis).T, cmap="gray", origin="lower", vmin=0, vmax=bright
            )
            outline = np.take(template.mask, index, axis).T
            white = np.take(template.data, index, axis).T
            panel.contour(outline, levels=[0.5], colors=[COLOURS[4]], linewidths=0.9)
            panel.contour(white, levels=[_WHITE_MATTER], colors=[COLOURS[1]], linewidths=0.6)
            panel.set_title(f"{'xyz'[axis]} = {place} mm", fontsize=8, fontweight="normal")
            panel.set_axis_off()
        drawing.suptitle(title, fontsize=9, x=0.01, ha="left")
        with atomic_path(path) as temporary:
            drawing.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
