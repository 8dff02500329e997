"""Simulated subjects for the smoke preset and tests: the MNI152 template, deformed.

They are no brains of anyone. "Patients" have a widened centre, so that there is something to
learn; results on them are never compared with the thesis.
"""

from __future__ import annotations

import numpy as np

from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE
from structnets.imaging.template import load_template

# The lateral ventricles' middle in MNI152, and how far the widening reaches.
_VENTRICLES_MM = np.array([0.0, -15.0, 12.0])
_REACH_MM = 24.0
_WIDENING = {False: 0.05, True: 0.30}
_KNOTS = (7, 8, 7)
_WOBBLE_MM = 2.0
_NOISE = 0.02


def simulate_brain(seed: int, *, patient: bool) -> np.ndarray:
    """Deform the template smoothly at random, more in the middle for patients.

    Parameters
    ----------
    seed : int
        Seeds deformation and noise; the same seed gives the same bytes.
    patient : bool
        Whether the ventricles are widened.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) float32 on the MNI152 2 mm grid, 0 outside the brain.
    """
    from scipy.ndimage import map_coordinates

    rng = np.random.default_rng([seed, int(patient)])
    index = np.indices(MNI_SHAPE, dtype=np.float32)
    centre = (_VENTRICLES_MM - MNI_AFFINE[:3, 3]) / 2
    away = index - centre.astype(np.float32)[:, None, None, None]
    distance = (away**2).sum(axis=0) * 4 / _REACH_MM**2
    widening = _WIDENING[patient] + rng.normal(0, 0.04)
    shift = -np.float32(widening) * away * np.exp(-distance / 2)
    for axis in range(3):
        shift[axis] += _smooth(rng.normal(0, _WOBBLE_MM / 2, _KNOTS))
    brain = map_coordinates(load_template().data, index + shift, order=1)
    noisy = brain * (1 + rng.normal(0, _NOISE, MNI_SHAPE))
    return np.where(brain > 0.02, noisy, 0).astype(np.float32)


def _smooth(knots: np.ndarray) -> np.ndarray:
    """Interpolate random values at knots to the 2 mm grid, (91, 109, 91) float32."""
    from scipy.ndimage import zoom

    factors = [size / count for size, count in zip(MNI_SHAPE, knots.shape, strict=True)]
    return np.asarray(zoom(knots.astype(np.float32), factors, order=1))
