"""Coarse output grids for large scales, with the best linear interpolation back.

The answer of a Gaussian derivative of scale sigma is smooth, so a sample every few voxels tells
nearly all of it. The interpolation is the least-squares one: of all linear maps from the coarse
samples to the fine ones it has the smallest mean square error on white noise, borders included.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Directions of the coarse answers weaker than this, relative to the strongest, are left out:
# they would amplify rounding by more than answers in single precision bear.
_RCOND = 1e-5


def coarse_positions(length: int, step: int) -> Tensor:
    """Return sample positions at most `step` apart that include both ends of a line."""
    count = math.ceil((length - 1) / step) + 1
    return torch.linspace(0, length - 1, count, dtype=torch.float64, device="cpu").round().long()


def interpolation(bands: Tensor, positions: Tensor) -> Tensor:
    """Fit the matrix that leads from coarse to fine answers.

    Parameters
    ----------
    bands : Tensor, shape (P, m, n), float64
        Banded matrices of the profiles of one scale.
    positions : Tensor, shape (k,), int64
        The rows that are kept.

    Returns
    -------
    Tensor, shape (m, k), float64
        ``interpolation @ bands[p][positions]`` is as near to ``bands[p]`` as can be, summed over
        the profiles.
    """
    fine = bands.transpose(0, 1).flatten(1)
    coarse = fine[positions]
    return fine @ torch.linalg.pinv(coarse, rtol=_RCOND)
