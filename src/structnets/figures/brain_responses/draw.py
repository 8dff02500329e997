"""Gaussian derivatives of a brain: the template, an average of people, and a made patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from structnets.figures.picture_grid import Panel, PictureRow, draw_picture_grid
from structnets.figures.style import Stem
from structnets.imaging.grid import MNI_AFFINE, SPACING_MM
from structnets.nn import GaussianConv3d

_SIGMA = 1.5  # voxels
_HEIGHT_MM = 12  # of the slice shown, where the lateral ventricles are wide
_PATIENT = 0  # of the simulated ones
# Exponents of the derivatives; a layer calls the last axis of a volume x, here the first is.
_SHOWN = {
    "smoothed": [(0, 0, 0)],
    "to the right": [(0, 0, 1)],
    "to the front": [(0, 1, 0)],
    "curvature": [(2, 0, 0), (0, 2, 0), (0, 0, 2)],
}


def draw_brain_responses(stem: Stem, *, title: str) -> list[Path]:
    """Draw an axial slice of two brains and responses of one structured layer to them.

    Parameters
    ----------
    stem : Stem
    title : str
        Of the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    from structnets.imaging.simulated import simulate_brain
    from structnets.imaging.template import load_template

    brains = {
        "average": load_template().data,
        "made patient": simulate_brain(_PATIENT, patient=True),
    }
    rows = []
    for label, brain in brains.items():
        seen = [Panel(_slice(brain / brain.max()), "image")]
        answers = zip(_SHOWN, responses(brain), strict=True)
        seen += [
            Panel(_slice(answer), "image" if name == "smoothed" else "signed")
            for name, answer in answers
        ]
        rows.append(PictureRow(label, seen))
    note = (
        f"Axial slices at z = {_HEIGHT_MM} mm, front above, left is left. Average: the T1-weighted "
        "MNI152 template of 152 people, which comes with nilearn. Made patient: the template, "
        "deformed by code so that its ventricles are wider; nobody's brain. "
        f"Scale {_SIGMA} voxels of {SPACING_MM} mm; red: rising, blue: falling. "
        "Filters in a structured layer are weighted sums of such maps."
    )
    return draw_picture_grid(["T1", *_SHOWN], rows, stem, title=title, note=note)


@torch.no_grad()
def responses(brain: np.ndarray) -> np.ndarray:
    """Return what a `GaussianConv3d` answers, one map for each column of the figure.

    Parameters
    ----------
    brain : ndarray, shape (X, Y, Z)
        Intensities.

    Returns
    -------
    ndarray, shape (4, X, Y, Z)
        Smoothed, the first derivatives along x and y, and the sum of the three second ones.
    """
    layer = GaussianConv3d(1, len(_SHOWN), order=2, sigmas=_SIGMA, bias=False)
    places = {atom.exponents: place for place, atom in enumerate(layer.basis.atoms)}
    layer.alpha.zero_()
    for row, exponents in enumerate(_SHOWN.values()):
        for each in exponents:
            # A layer correlates: what rises gives its odd derivatives the other sign.
            layer.alpha[row, 0, places[each]] = (-1) ** sum(each)
    volume = torch.from_numpy(np.array(brain, dtype=np.float32))[None, None]
    return layer(volume)[0].numpy()


def _slice(volume: np.ndarray) -> np.ndarray:
    """Return the axial slice that is shown, its front above."""
    place = round((_HEIGHT_MM - MNI_AFFINE[2, 3]) / SPACING_MM)
    return volume[:, ::-1, place].T
