"""Where an inverse loses its precision, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets.figures.style import (
    COLOURS,
    GREY,
    Stem,
    figure,
    footnote,
    legend_beside,
    lines,
    save,
    save_csv,
)


def draw_stability(
    blocks: Sequence[Mapping[str, Any]],
    stem: Stem,
    *,
    tolerance: float,
    title: str,
    note: str = "",
) -> list[Path]:
    """Draw the relative error of every block's recovered input, and how much its F stretches.

    Parameters
    ----------
    blocks : sequence of mapping
        In order, with the fields of `structnets.analysis.stability.BlockStability`. Errors that
        are not finite are left out of the figure.
    stem : Stem
    tolerance : float
        Largest error that counts as invertible.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there are no blocks.
    """
    if not blocks:
        raise ValueError("blocks holds nothing to draw")
    places = range(1, len(blocks) + 1)
    precisions = list(blocks[0]["errors"])
    with figure(2, 1, (6.4, 5.2), sharex=True) as (drawing, (top, bottom)):
        handles = []
        for precision, look in zip(precisions, lines(), strict=False):
            errors = [block["errors"][precision] for block in blocks]
            handles += top.plot(places, errors, marker=".", **look, label=precision)
        handles.append(top.axhline(tolerance, color=GREY, linestyle="--", label="tolerance"))
        top.set(yscale="log", ylabel="relative error of the input", title=title)
        stretches = [block["lipschitz"] for block in blocks]
        bottom.plot(places, stretches, ".-", color=COLOURS[0])
        bottom.set(xlabel="block", ylabel="Lipschitz constant of F\n(estimate from below)")
        bottom.set_ylim(bottom=0)
        bottom.xaxis.get_major_locator().set_params(integer=True)
        legend_beside(top, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    rows = [
        {
            "block": block["name"],
            "lipschitz": block["lipschitz"],
            "condition": block["condition"],
            **{f"error_{p}": block["errors"][p] for p in precisions},
        }
        for block in blocks
    ]
    return [*files, save_csv(stem, tuple(rows[0]), rows)]
