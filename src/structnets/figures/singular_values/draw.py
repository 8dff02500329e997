"""Singular values of a network's differential (thesis Figure 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from structnets.figures.style import Stem, figure, footnote, legend_beside, lines, save, save_csv

_COLUMNS = ("spectrum", "index", "value", "normalised", "cumulated_energy")
_POINTS = 400


def draw_spectra(
    spectra: Mapping[str, tuple[Sequence[float], float]],
    stem: Stem,
    *,
    title: str,
    note: str = "",
) -> list[Path]:
    """Draw sorted singular values, normalised by the largest, and their cumulated energy.

    Parameters
    ----------
    spectra : mapping of str to (values, energy)
        Per curve the singular values, descending, and the sum of squares of all of them, also
        of those not given.
    stem : Stem
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If a spectrum is empty, not positive or not descending.
    """
    rows = []
    with figure(2, 1, (6.4, 5.2), sharex=True) as (drawing, (top, bottom)):
        handles = []
        for (name, (given, energy)), look in zip(spectra.items(), lines(), strict=False):
            values = _checked(name, given)
            index = np.arange(1, len(values) + 1)
            shares = (values**2).cumsum() / energy
            handles += top.plot(index, values / values[0], **look, label=name)
            bottom.plot(index, 100 * shares, **look)
            for i in _drawn(len(values)):
                parts = (name, i + 1, values[i], values[i] / values[0], shares[i])
                rows.append(dict(zip(_COLUMNS, parts, strict=True)))
        top.set(yscale="log", ylabel="singular value / largest", title=title)
        bottom.set(xscale="log", xlabel="index", ylabel="cumulated energy (%)", ylim=(0, 102))
        legend_beside(top, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _checked(name: str, given: Sequence[float]) -> np.ndarray:
    values = np.asarray(given, dtype=np.float64)
    if values.size == 0 or values[0] <= 0 or bool((np.diff(values) > 0).any()):
        raise ValueError(f"spectrum {name!r} must be descending from a positive value")
    return values


def _drawn(count: int) -> list[int]:
    """Return places evenly spaced on the logarithmic axis, both ends included."""
    places = np.unique(np.geomspace(1, count, _POINTS).round().astype(int)) - 1
    return [int(place) for place in places]
