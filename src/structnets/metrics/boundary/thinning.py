"""Thinning of binary maps to lines one pixel wide, as MATLAB's ``bwmorph(…, 'thin', Inf)``.

Two alternating parallel steps delete border pixels by the conditions of Guo & Hall, "Parallel
thinning with two-subiteration algorithms" (Communications of the ACM, 1989), in the form MATLAB
documents. A step looks again only at pixels whose neighbourhood changed since the same step last
looked, so that thick regions cost time in proportion to their area, not area times thickness.
"""

from __future__ import annotations

import numba
import numpy as np

# Neighbours x1..x8 of MATLAB's text: east first, then counter-clockwise (rows grow downwards).
_ROWS = (0, -1, -1, -1, 0, 1, 1, 1)
_COLUMNS = (1, 1, 0, -1, -1, -1, 0, 1)


def _deletion_tables() -> np.ndarray:
    """Tabulate both steps, (2, 256) bool, by the neighbours' code: bit k is x_(k+1)."""
    codes = np.arange(256)
    x = [(codes >> k & 1).astype(bool) for k in range(8)]
    pairs = range(0, 8, 2)
    crossings = sum((~x[k] & (x[k + 1] | x[(k + 2) % 8])).astype(int) for k in pairs)
    first = sum((x[k] | x[k + 1]).astype(int) for k in pairs)
    second = sum((x[k + 1] | x[(k + 2) % 8]).astype(int) for k in pairs)
    fewer = np.minimum(first, second)
    common = (crossings == 1) & (fewer >= 2) & (fewer <= 3)
    odd = common & ~((x[1] | x[2] | ~x[7]) & x[0])
    even = common & ~((x[5] | x[6] | ~x[3]) & x[4])
    return np.stack([odd, even])


_TABLES = _deletion_tables()


def thin(mask: np.ndarray) -> np.ndarray:
    """Thin a binary map until nothing changes.

    Parameters
    ----------
    mask : numpy.ndarray
        (H, W) bool; what lies outside counts as background.

    Returns
    -------
    numpy.ndarray
        (H, W) bool, a subset of `mask` with the same connected components.
    """
    height, width = mask.shape
    # Rows must lie one behind the other, which np.pad does not promise.
    padded = np.zeros((height + 2, width + 2), dtype=np.bool_)
    padded[1:-1, 1:-1] = mask
    steps = np.array(_ROWS) * (width + 2) + np.array(_COLUMNS)
    _thin_padded(padded.reshape(-1), steps, _TABLES)
    return np.ascontiguousarray(padded[1:-1, 1:-1])


@numba.njit(cache=True)
def _code(mask, pixel, steps):
    code = 0
    for k in range(8):
        if mask[pixel + steps[k]]:
            code |= 1 << k
    return code


@numba.njit(cache=True)
def _thin_padded(mask, steps, tables):
    """Thin `mask` in place: flat, its outermost rows and columns background."""
    waiting = np.zeros((2, mask.size), dtype=np.bool_)
    queues = np.empty((2, mask.size), dtype=np.int64)
    lengths = np.zeros(2, dtype=np.int64)
    doomed = np.empty(mask.size, dtype=np.int64)
    for pixel in np.flatnonzero(mask):
        if _code(mask, pixel, steps) != 255:
            waiting[:, pixel] = True
            queues[:, lengths[0]] = pixel
            lengths += 1
    step = 0
    while lengths[0] or lengths[1]:
        count = 0
        for k in range(lengths[step]):
            pixel = queues[step, k]
            waiting[step, pixel] = False
            if mask[pixel] and tables[step, _code(mask, pixel, steps)]:
                doomed[count] = pixel
                count += 1
        lengths[step] = 0
        for k in range(count):
            mask[doomed[k]] = False
        for k in range(count):
            for n in range(8):
                pixel = doomed[k] + steps[n]
                if mask[pixel]:
                    for s in range(2):
                        if not waiting[s, pixel]:
                            waiting[s, pixel] = True
                            queues[s, lengths[s]] = pixel
                            lengths[s] += 1
        step = 1 - step
