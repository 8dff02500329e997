"""What a translation along an attribute does to an image (thesis section 5.5.3, Eq. 38).

An attribute's translation is no transformation of the image. It is looked at through the data
set: the image whose invariant array is nearest to the translated one of a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structnets.models.hcnn import HCNN

FIRST_DEPTH = 3  # the first with the three attributes of Eq. 38
Float = NDArray[np.float32]
Int = NDArray[np.int64]


@torch.no_grad()
def invariant_arrays(
    model: HCNN, batches: Iterable[Tensor], depths: Sequence[int], count: int
) -> dict[int, Float]:
    r"""Compute Eq. 38 for a whole data set, batch by batch.

    :math:`\bar x_j(v_{j-1}, v_j) = \sum_{v_{j-2}} x_j(u_0, v_{j-2}, v_{j-1}, v_j)` at the central
    place u_0. What is held is the result, 2 K^2 bytes an image and depth, and one batch's
    activations.

    Parameters
    ----------
    model : HCNN
        Put in evaluation mode.
    batches : iterable of Tensor, shape (N, C, U1, U2)
        The images, standardised as in training, on the model's device.
    depths : sequence of int
        From 3 to J - 1.
    count : int
        Images in all batches.

    Returns
    -------
    dict of int to ndarray, shape (count, V_{j-1}, V_j), float32
        Per depth.

    Raises
    ------
    ValueError
        If a depth is out of range or the batches hold another number of images.
    """
    deepest = len(model.layers)
    for depth in depths:
        if not FIRST_DEPTH <= depth <= deepest:
            raise ValueError(f"depths must be from {FIRST_DEPTH} to {deepest}, got {depth}")
    model.eval()
    found: dict[int, Float] = {}
    done = 0
    for images in batches:
        end = done + len(images)
        if end > count:
            raise ValueError(f"count is {count}, but the batches hold at least {end} images")
        for depth, x in enumerate(model.arrays(images), start=1):
            if depth not in depths:
                continue
            array = x[:, x.shape[1] // 2, x.shape[2] // 2].sum(1).float().cpu().numpy()
            if depth not in found:
                found[depth] = np.empty((count, *array.shape[1:]), np.float32)
            found[depth][done:end] = array
        done = end
    if done != count:
        raise ValueError(f"count is {count}, but the batches hold {done} images")
    return found


def low_pass(arrays: Float, width: int = 3) -> Float:
    """Average arrays (N, V_{j-1}, V_j) along v_{j-1}, circularly, over an odd `width`."""
    size = arrays.shape[1]
    if width < 1 or width % 2 == 0 or width > size:
        raise ValueError(f"width must be odd and from 1 to the axis' {size}, got {width}")
    shifts = range(-(width // 2), width // 2 + 1)
    mean = np.mean([np.roll(arrays, shift, axis=1) for shift in shifts], axis=0)
    return mean.astype(arrays.dtype)


@dataclass(frozen=True)
class Neighbours:
    """Nearest images to translated invariant arrays at one depth.

    Attributes
    ----------
    queries : ndarray of int, shape (Q,)
        The images whose arrays were translated.
    shifts : ndarray of int, shape (T,)
        Translations tau along v_{j-1}.
    nearest : ndarray of int, shape (Q, T)
        The other image whose array is nearest.
    distances : ndarray of float, shape (Q, T)
        How near, Euclidean.
    """

    queries: Int
    shifts: Int
    nearest: Int
    distances: Float


def translated_neighbours(
    arrays: Float, queries: Sequence[int], shifts: Sequence[int], width: int = 3
) -> Neighbours:
    """Find, exactly, the image nearest to each translated array, the query itself left out.

    Parameters
    ----------
    arrays : ndarray, shape (N, V_{j-1}, V_j)
        Invariant arrays of all images, N >= 2.
    queries : sequence of int
        Images to translate.
    shifts : sequence of int
        Translations tau; 0 finds the nearest other image.
    width : int
        Of the averaging along v_{j-1} that all arrays get first; 1 for none.

    Returns
    -------
    Neighbours
        One per query and shift.

    Raises
    ------
    ValueError
        If there is no other image, a query does not exist, or an array is not finite.
    """
    from sklearn.neighbors import NearestNeighbors

    asked = _existing(queries, len(arrays))
    if not np.isfinite(arrays).all():
        raise ValueError("arrays must be finite; has the training diverged?")
    smooth = low_pass(arrays, width)
    search = NearestNeighbors(n_neighbors=2, algorithm="brute")
    search.fit(smooth.reshape(len(smooth), -1))
    nearest = np.empty((len(asked), len(shifts)), np.int64)
    distances = np.empty((len(asked), len(shifts)), np.float32)
    for column, shift in enumerate(shifts):
        moved = np.roll(smooth[asked], shift, axis=1).reshape(len(asked), -1)
        far, index = search.kneighbors(moved)
        own = (index[:, 0] == asked).astype(int)  # then the second is the nearest other one
        rows = np.arange(len(asked))
        nearest[:, column], distances[:, column] = index[rows, own], far[rows, own]
    return Neighbours(asked, np.asarray(shifts, np.int64), nearest, distances)


def class_kept(neighbours: Neighbours, labels: Int) -> NDArray[np.float64]:
    """Return, per shift, the share of queries whose neighbour has their class; shape (T,)."""
    return (labels[neighbours.nearest] == labels[neighbours.queries][:, None]).mean(0)


def class_kept_by_chance(labels: Int, queries: Sequence[int]) -> float:
    """Return the share of queries whose class a random other image has.

    Raises
    ------
    ValueError
        If there is no other image, or a query does not exist.
    """
    asked = _existing(queries, len(labels))
    counts = np.bincount(labels)
    return float(np.mean((counts[labels[asked]] - 1) / (len(labels) - 1)))


def _existing(queries: Sequence[int], images: int) -> Int:
    """Return queries as an array; negative ones would be counted from the end."""
    if images < 2:
        raise ValueError(f"there must be at least 2 images, got {images}")
    asked = np.asarray(queries, np.int64)
    wrong = asked[(asked < 0) | (asked >= images)]
    if wrong.size:
        raise ValueError(f"queries must be from 0 to {images - 1}, got {wrong[0]}")
    return asked
