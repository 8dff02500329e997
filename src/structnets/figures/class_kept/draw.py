"""How often a translated neighbour keeps the class, by depth and translation (section 5.5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from structnets.figures.style import GREY, Stem, figure, footnote, legend_beside, save, save_csv

_COLUMNS = ("depth", "tau", "kept", "queries")


def draw_class_kept(
    kept: dict[int, Sequence[float]],
    shifts: Sequence[int],
    stem: Stem,
    *,
    queries: int,
    chance: float,
    title: str,
    note: str,
) -> list[Path]:
    """Draw one curve per depth over the translation, with bars of one standard error.

    Parameters
    ----------
    kept : dict of int to sequence of float
        Per depth, the share that keeps its class at each of `shifts`.
    shifts : sequence of int
        Translations tau.
    stem : Stem
    queries : int
        Images asked for, of which `kept` are shares.
    chance : float
        Share that a random image would reach.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not kept or queries < 1:
        raise ValueError(f"kept must hold a depth and queries be >= 1; got {len(kept)}, {queries}")
    from matplotlib import colormaps

    colours = colormaps["viridis"](np.linspace(0.9, 0.0, len(kept)))
    rows = []
    with figure(size=(6.4, 3.8)) as (drawing, axes):
        handles = []
        for colour, (depth, shares) in zip(colours, sorted(kept.items()), strict=True):
            share = np.asarray(shares, float)
            error = np.sqrt(share * (1 - share) / queries)
            handles.append(
                axes.errorbar(
                    shifts, share, error, color=colour, marker="o", capsize=2, label=f"j = {depth}"
                )
            )
            pairs = zip(shifts, share, strict=True)
            rows += [
                dict(zip(_COLUMNS, (depth, t, f"{s:.6g}", queries), strict=True)) for t, s in pairs
            ]
        handles.append(axes.axhline(chance, color=GREY, linestyle=":", label="chance"))
        axes.set(title=title, xlabel="translation τ along $v_{j-1}$", ylabel="same class (share)")
        axes.set_ylim(0, 1)
        axes.set_xticks(list(shifts))
        legend_beside(axes, handles)
        footnote(drawing, f"{note} · {queries} queries, bars of one standard error")
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]
