"""The building block of a structured receptive field network, with real filters (Figure 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.bases.gaussian import GaussianBasis
from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save, save_csv

_EFFECTIVE = 4
_SIDE = 0.8  # of a drawn filter, in rows
_FAR = 9.0
_COLUMNS = ("filter", "atom", "alpha")


def draw_receptive_fields(stem: Stem, *, title: str, order: int = 3, seed: int = 4) -> list[Path]:
    """Draw Gaussian derivatives, random weights, and the filters that they make.

    Parameters
    ----------
    stem : Stem
        The ``.csv`` holds the weights.
    title : str
        Of the figure.
    order : int
        Of the basis.
    seed : int
        Of the weights.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    basis = GaussianBasis(order, (1.5,), 11)
    atoms = basis.kernels
    alpha = np.random.default_rng(seed).normal(size=(_EFFECTIVE, len(atoms)))
    effective = np.tensordot(alpha, atoms, 1)
    with figure(1, 1, (6.8, 4.4)) as (drawing, axes):
        heights = _heights(len(atoms)), _heights(_EFFECTIVE)
        _draw_links(axes, alpha, *heights)
        labels = ["".join(_name(atom.exponents)) for atom in basis.atoms]
        _draw_filters(axes, atoms, 0.0, heights[0], labels, left=True)
        names = [f"$F_{number + 1}$" for number in range(_EFFECTIVE)]
        _draw_filters(axes, effective, _FAR, heights[1], names, left=False)
        axes.text(0.0, 5.6, "fixed basis φ$_m$", ha="center", fontsize=9)
        axes.text(_FAR / 2, 5.6, "learned weights α$_{ij}$", ha="center", fontsize=9)
        axes.text(_FAR, 5.6, "effective filters", ha="center", fontsize=9)
        axes.set(xlim=(-1.3, _FAR + 1.4), ylim=(-5.5, 5.9), aspect="equal")
        axes.axis("off")
        headline(drawing, title)
        footnote(
            drawing,
            "Weights drawn at random; width of a line: |α|, blue positive, orange negative. "
            "Filters as composed by the library.",
        )
        files = save(drawing, stem)
    rows = [
        {"filter": i, "atom": label, "alpha": round(float(weight), 6)}
        for i, line in enumerate(alpha)
        for label, weight in zip(labels, line, strict=True)
    ]
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _name(exponents: tuple[int, ...]) -> list[str]:
    """Return the derivative of G that an atom is, in mathematical notation."""
    return ["$G_{", *(axis * power for axis, power in zip("xy", exponents, strict=True)), "}$"]


def _heights(count: int) -> np.ndarray:
    return np.linspace(4.6, -4.6, count)


def _draw_links(axes: Any, alpha: np.ndarray, sources: np.ndarray, ends: np.ndarray) -> None:
    for line, end in zip(alpha, ends, strict=True):
        for weight, source in zip(line, sources, strict=True):
            colour = COLOURS[0] if weight > 0 else COLOURS[1]
            width = 1.6 * abs(weight) / abs(alpha).max()
            axes.plot([0.5, _FAR - 0.9], [source, end], color=colour, lw=width, alpha=0.7)


def _draw_filters(
    axes: Any, filters: np.ndarray, x: float, heights: np.ndarray, names: list[str], left: bool
) -> None:
    half = _SIDE / 2 if left else _SIDE
    for values, y, name in zip(filters, heights, names, strict=True):
        scale = abs(values).max()
        box = (x - half, x + half, y - half, y + half)
        axes.imshow(values, cmap="RdBu_r", vmin=-scale, vmax=scale, extent=box, zorder=3)
        side = x - half - 0.15 if left else x + half + 0.15
        axes.text(side, y, name, ha="right" if left else "left", va="center", color=GREY)
