"""Maps of nets of brain scans on the template, row by row."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from structnets.figures.style import Stem, figure, save
from structnets.imaging.grid import MNI_AFFINE, FieldOfView, grid_affine
from structnets.imaging.template import load_template

CUTS_MM = (-36, -18, 0, 18, 36, 54)
"""Heights of the slices, through cerebellum, temporal lobes, thalamus, ventricles and vertex."""
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
    with figure(len(maps), 1, size=(9.0, 2.1 * len(maps)), squeeze=False) as (drawing, axes):
        drawing.set_layout_engine("none")  # nilearn places its slices itself
        for panel, (row, values) in zip(axes[:, 0], maps.items(), strict=True):
            scaled = values / max(float(values.max()), 1e-30)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of nilearn, about casting and empty slices
                plotting.plot_img(
                    Nifti1Image(scaled.astype(np.float32), grid_affine(grid_mm, field_of_view)),
                    bg_img=background,
                    axes=panel,
                    figure=drawing,
                    display_mode="z",
                    cut_coords=list(CUTS_MM),
                    cmap="inferno",
                    threshold=float(np.quantile(scaled[scaled > 0], _BARE)) if scaled.any() else 1,
                    vmin=0,
                    vmax=1,
                    colorbar=True,
                    annotate=True,
                    black_bg=False,
                )
            place = panel.get_position()
            drawing.text(place.x0, place.y1, row, fontweight="bold")
        return save(drawing, stem)
