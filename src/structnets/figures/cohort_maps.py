"""Maps of nets of brain scans on the template, row by row."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from structnets.figures.style import GREY, Stem, figure, plain, save
from structnets.imaging.grid import MNI_AFFINE, FieldOfView, grid_affine
from structnets.imaging.template import load_template

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CUTS_MM = (-36, -18, 0, 18, 36, 54)
"""Heights of the slices, through cerebellum, temporal lobes, thalamus, ventricles and vertex."""
_COLOURS = "inferno"
_PLACES = {"left": 0.02, "right": 0.91, "bottom": 0.08, "top": 0.92, "hspace": 0.25}
_BARE = 0.9  # this part of the voxels is not drawn: those of the smallest values


def load_what_drawing_needs() -> None:
    """Import nilearn and read the template, some seconds that others may use the while."""
    from nilearn import plotting  # noqa: F401

    load_template()


def draw_cohort_maps(
    maps: Mapping[str, np.ndarray], grid_mm: int, field_of_view: FieldOfView, stem: Stem
) -> list[Path]:
    """Draw the tenth of the voxels that have the largest values, on the template.

    Parameters
    ----------
    maps : mapping
        (X, Y, Z) on the grid, none negative, by row; each is divided by its largest value.
    grid_mm : int
        Edge of its voxels.
    field_of_view : {'whole', 'brain'}
        Of the grid.
    stem : Stem

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    from nibabel import Nifti1Image
    from nilearn import plotting

    template = load_template()
    background = Nifti1Image(template.data, MNI_AFFINE)
    places = {"squeeze": False, "gridspec_kw": _PLACES}
    with figure(len(maps), 1, (9.0, 2.1 * len(maps)), **places) as (drawing, axes):
        drawing.set_layout_engine("none")  # nilearn places its slices itself
        for panel, (row, values) in zip(axes[:, 0], maps.items(), strict=True):
            scaled = values / max(float(values.max()), 1e-30)
            least = float(np.quantile(scaled[scaled > 0], _BARE)) if scaled.any() else 1.0
            place = panel.get_position()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of nilearn, about casting and empty slices
                shown: Any = plotting.plot_img(
                    Nifti1Image(scaled.astype(np.float32), grid_affine(grid_mm, field_of_view)),
                    bg_img=background,
                    axes=panel,
                    figure=drawing,
                    display_mode="z",
                    cut_coords=list(CUTS_MM),
                    cmap=_COLOURS,
                    threshold=least,
                    vmin=0,
                    vmax=1,
                    colorbar=False,
                    annotate=False,
                    black_bg=False,
                )
            shown.annotate(positions=False, size=8)  # L and R
            for cut in shown.axes.values():
                height = f"z = {cut.coord:.0f} mm"
                where = {"transform": cut.ax.transAxes, "ha": "center", "va": "top"}
                cut.ax.text(0.5, -0.03, height, fontsize=8, **where)
            drawing.text(place.x0, place.y1 + 0.01, plain(row), fontweight="bold")
            _add_scale(drawing, (place.x1 + 0.015, place.y0, 0.012, place.height), least)
        return save(drawing, stem)


def _add_scale(drawing: Figure, place: tuple[float, float, float, float], least: float) -> None:
    """Add the scale of colours, grey where nothing is drawn."""
    from matplotlib.cm import ScalarMappable

    bar = drawing.colorbar(ScalarMappable(cmap=_COLOURS), cax=drawing.add_axes(place))
    bar.ax.axhspan(0, least, color=GREY)
    bar.set_ticks([0, least, 1], labels=["0", f"{least:.2f}", "1"])
    bar.set_label("sensitivity / largest")
    bar.ax.grid(visible=False)
