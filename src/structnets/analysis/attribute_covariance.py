"""How far translations along attributes are from covariance (Proposition 5.3.1, with strides).

Each layer keeps every second value of two attributes, so it is covariant to even translations
only, and the class scores are invariant to translations by multiples of the subsampling still to
come. For the others this measures what is left of the proposition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.models.hcnn import HCNN

# Attributes of x_j by age: the axis of (N, U1, U2, V_{j-2}, V_{j-1}, V_j) each lies on.
ATTRIBUTES = {"v_{j-2}": 3, "v_{j-1}": 4, "v_j": 5}


@dataclass(frozen=True)
class Deviation:
    """What one translation of x_j changes.

    Attributes
    ----------
    depth : int
        j.
    attribute : str
        One of `ATTRIBUTES`.
    shift : int
        Translation tau.
    next_layer : float
        Least relative L2 distance of x_{j+1}, over all translations of the attribute's axis there,
        to the x_{j+1} of the untranslated array: 0 where the layer is covariant. The attribute
        that is summed away must not change x_{j+1} at all.
    scores : float
        L2 distance of the class scores, relative to the scores' spread over images.
    predictions_kept : float
        Share of images whose predicted class stays.
    """

    depth: int
    attribute: str
    shift: int
    next_layer: float
    scores: float
    predictions_kept: float


@torch.no_grad()
def covariance_deviations(
    model: HCNN,
    images: Tensor,
    depths: Sequence[int],
    shifts: Sequence[int],
    attributes: Sequence[str] = tuple(ATTRIBUTES),
) -> list[Deviation]:
    """Translate inner arrays and compare what the rest of the net makes of them.

    Parameters
    ----------
    model : HCNN
        With circular padding; put in evaluation mode.
    images : Tensor, shape (N, C, U1, U2)
        At least two, standardised as in training.
    depths : sequence of int
        From 3 to J - 2.
    shifts : sequence of int
        Translations tau.
    attributes : sequence of str
        Which of `ATTRIBUTES`.

    Returns
    -------
    list of Deviation
        By depth, attribute and shift.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the class scores are not finite.
    """
    if len(images) < 2:
        raise ValueError(f"images must be at least 2, got {len(images)}")
    for depth in depths:
        if not 3 <= depth < len(model.layers):
            raise ValueError(f"depths must be from 3 to {len(model.layers) - 1}, got {depth}")
    for attribute in attributes:
        if attribute not in ATTRIBUTES:
            raise ValueError(f"attributes must be of {', '.join(ATTRIBUTES)}; got {attribute!r}")
    model.eval()
    arrays = dict(enumerate(model.arrays(images), start=1))
    scores = model.head(arrays[len(model.layers)])
    if not bool(scores.isfinite().all()):
        # What is largest among NaN would be kept by every translation.
        raise ValueError("class scores must be finite; has the training diverged?")
    found = []
    for depth in depths:
        for attribute in attributes:
            for shift in shifts:
                moved = arrays[depth].roll(shift, ATTRIBUTES[attribute])
                after = model.layers[depth](moved)
                new = model.classify_from(after, depth + 1)
                kept = (new.argmax(1) == scores.argmax(1)).double().mean()
                found.append(
                    Deviation(
                        depth,
                        attribute,
                        shift,
                        _least_distance(after, arrays[depth + 1], ATTRIBUTES[attribute] - 1),
                        float((new - scores).norm() / (scores - scores.mean(0)).norm()),
                        float(kept),
                    )
                )
    return found


def _least_distance(found: Tensor, expected: Tensor, axis: int) -> float:
    """Compare with `expected` translated along `axis`; on a spatial axis, untranslated only."""
    shifts = range(expected.shape[axis]) if axis > 2 else (0,)
    least = min(float((found - expected.roll(shift, axis)).norm()) for shift in shifts)
    return least / float(expected.norm())
