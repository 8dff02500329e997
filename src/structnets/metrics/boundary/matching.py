"""Correspondence of boundary pixels: assignments of least cost, kept while one map changes.

A predicted pixel may correspond to one true pixel at a Euclidean distance of at most `max_distance`
pixels, and each true pixel to one predicted pixel. The original benchmark (Martin, Fowlkes & Malik,
2004) pads this to an assignment problem with outlier nodes that are joined at random, and solves it
by Goldberg's cost scaling. What is computed here is the optimum that it approaches, without
randomness: least sum of distances (in hundredths of a pixel, rounded) plus 100 `max_distance` for
each pixel left out, that is as many pairs as can be, and among those the nearest. Where its random
outliers happen not to suffice, the original gives up a few pairs in ten thousand.

The solution keeps its dual variables. When the predicted map changes, as it does from threshold to
threshold, only the pixels that came or went are attached again, each by one shortest augmenting
path; the result is an optimum of the new problem all the same.

Names in the compiled functions: a *side* is 0 (predicted) or 1 (true); ``dual[side, pixel]``,
``partner[side, pixel]`` (-1: none) and ``present[side, pixel]`` are indexed by the pixel of a
padded flat map. Dual variables are feasible: no pair has a negative *reduced cost*
``cost - dual[0] - dual[1]``, pairs in use have zero, and a pixel without a partner has the
dual ``limit[side]``.
"""

from __future__ import annotations

import heapq
import math

import numba
import numpy as np

_HUNDREDTHS = 100  # the original's integer costs
_OUTLIER = 100  # cost of a pixel left out, in units of the largest distance
_FAR = np.iinfo(np.int64).max
_PIXEL_BITS = 40  # a heap's key holds a distance above, a pixel below


class Matcher:
    """Optimal correspondence between a changing predicted map and one true map.

    Parameters
    ----------
    truth : numpy.ndarray
        (H, W) bool, true boundary pixels.
    max_distance : float
        Largest distance of a pair, in pixels.
    """

    def __init__(self, truth: np.ndarray, max_distance: float) -> None:
        self._margin = math.floor(max_distance)
        self._inner = slice(self._margin, -self._margin or None)
        self._shape = tuple(side + 2 * self._margin for side in truth.shape)
        self._steps, self._costs = _disc(max_distance, self._shape[1])
        self._limit = np.array([math.ceil(_OUTLIER * max_distance * _HUNDREDTHS), 0])
        size = self._shape[0] * self._shape[1]
        self._present = np.zeros((2, size), dtype=np.bool_)
        self._present[1] = self._padded(truth)
        self._dual = np.zeros((2, size), dtype=np.int64)
        self._partner = np.full((2, size), -1, dtype=np.int64)
        self._distance = np.full(size, _FAR)
        self._parent = np.empty(size, dtype=np.int64)

    def match(self, predicted: np.ndarray) -> np.ndarray:
        """Replace the predicted map and restore the optimum.

        Parameters
        ----------
        predicted : numpy.ndarray
            (H, W) bool.

        Returns
        -------
        numpy.ndarray
            (H, W) bool: the predicted pixels that correspond to a true one. As many true pixels
            correspond to a predicted one.
        """
        changed = np.flatnonzero(self._padded(predicted) != self._present[0])
        problem = (self._present, self._partner, self._dual, self._limit, self._steps, self._costs)
        _update(changed, *problem, self._distance, self._parent)
        return (self._partner[0] >= 0).reshape(self._shape)[self._inner, self._inner]

    def pairs(self) -> np.ndarray:
        """Return the correspondence, (N, 4) int64: row, column predicted, row, column true."""
        predicted = np.flatnonzero(self._partner[0] >= 0)
        places = [
            np.stack(np.unravel_index(pixels, self._shape), axis=1) - self._margin
            for pixels in (predicted, self._partner[0, predicted])
        ]
        return np.concatenate(places, axis=1)

    def _padded(self, mask: np.ndarray) -> np.ndarray:
        padded = np.zeros(self._shape, dtype=np.bool_)
        padded[self._inner, self._inner] = mask
        return padded.reshape(-1)


def _disc(radius: float, width: int) -> tuple[np.ndarray, np.ndarray]:
    """List the flat steps within `radius` in a map of `width`, and their costs, near ones first."""
    reach = math.floor(radius)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    squares = (rows**2 + columns**2).reshape(-1)
    inside = np.flatnonzero(squares <= radius**2)
    inside = inside[np.argsort(squares[inside], kind="stable")]
    steps = (rows * width + columns).reshape(-1)[inside]
    return steps, np.rint(_HUNDREDTHS * np.sqrt(squares[inside])).astype(np.int64)


@numba.njit(cache=True)
def _update(changed, present, partner, dual, limit, steps, costs, distance, parent):
    """Remove or add the predicted pixels `changed` and restore the optimum."""
    for pixel in changed:
        if present[0, pixel]:
            present[0, pixel] = False
            widow = partner[0, pixel]
            if widow >= 0:
                partner[0, pixel] = -1
                partner[1, widow] = -1
                _attach(1, widow, present, partner, dual, limit, steps, costs, distance, parent)
        else:
            present[0, pixel] = True
            dual[0, pixel] = 0
            _attach(0, pixel, present, partner, dual, limit, steps, costs, distance, parent)


@numba.njit(cache=True)
def _attach(side, start, present, partner, dual, limit, steps, costs, distance, parent):
    """Give `start` of `side` a partner, or leave out whom it is best to leave out instead.

    Dijkstra's search over the pixels of `side`: a step goes from one to a neighbour's partner, at
    the reduced cost of pairing with that neighbour. It ends at the nearest neighbour without a
    partner (`free`) or at the pixel that is left out at the least additional cost.
    """
    other = 1 - side
    best, free, last = limit[side] - dual[side, start], -1, start
    distance[start] = 0
    reached = [start]
    heap = [start]
    while heap:
        key = heapq.heappop(heap)
        here, pixel = key >> _PIXEL_BITS, key & ((1 << _PIXEL_BITS) - 1)
        if here >= best:
            break
        if here > distance[pixel]:
            continue
        base = here - dual[side, pixel]
        for k in range(steps.size):
            if base + costs[k] - limit[other] >= best:
                break
            neighbour = pixel + steps[k]
            if not present[other, neighbour]:
                continue
            there = base + costs[k] - dual[other, neighbour]
            if there >= best:
                continue
            following = partner[other, neighbour]
            if following < 0:
                best, free, last = there, neighbour, pixel
            elif there < distance[following]:
                if distance[following] == _FAR:
                    reached.append(following)
                distance[following] = there
                parent[following] = pixel
                heapq.heappush(heap, (there << _PIXEL_BITS) | following)
                if there + limit[side] - dual[side, following] < best:
                    best, free, last = there + limit[side] - dual[side, following], -1, following
    for pixel in reached:
        gain = best - distance[pixel]
        distance[pixel] = _FAR
        if gain > 0:
            dual[side, pixel] += gain
            if partner[side, pixel] >= 0:
                dual[other, partner[side, pixel]] -= gain
    _augment(side, start, last, free, partner, parent)


@numba.njit(cache=True)
def _augment(side, start, last, free, partner, parent):
    """Pair `last` with `free` (-1: leave it out) and pass partners on along the way back."""
    other = 1 - side
    pixel, given = last, free
    while True:
        former = partner[side, pixel]
        partner[side, pixel] = given
        if given >= 0:
            partner[other, given] = pixel
        if pixel == start:
            break
        pixel, given = parent[pixel], former
