"""A figure that needs no training: computed from bases and models, or a schematic."""

from __future__ import annotations

from pathlib import Path

from structnets.figures.entries import FIGURES
from structnets.figures.style import Stem
from structnets.specs.figure_options import find_figure


def draw(name: str, stem: Stem, *, title: str) -> list[Path]:
    """Draw a kind of figure that is drawn by code alone.

    Parameters
    ----------
    name : str
        Of the kind, as `structnets.figures.entries` lists them.
    stem : Stem
    title : str
        Words above it.

    Returns
    -------
    list of pathlib.Path
        The files, one for every ending that the entry promises.

    Raises
    ------
    ValueError
        If there is no such kind, it is not drawn by code, or it wrote other files than promised.
    """
    entry = find_figure(name, "drawing", drawn=True)
    words = {"title": title} if entry.titled else {}
    files = FIGURES.load(entry)(stem, **words)
    promised = [stem.with_name(f"{stem.name}.{ending}") for ending in entry.files]
    if sorted(files) != sorted(promised):
        raise ValueError(
            f"the figure {name} wrote {', '.join(path.name for path in files)}; its entry "
            f"promises {', '.join(path.name for path in promised)}"
        )
    return files
