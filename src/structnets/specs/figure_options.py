"""What a kind of figure takes: its options, checked before any weight is read, and its networks."""

from __future__ import annotations

from typing import Any

from structnets.entries import load_path
from structnets.figures.entries import FIGURES, FigureEntry
from structnets.specs.validation import checked


def find_figure(name: str, place: str, *, drawn: bool = False) -> FigureEntry:
    """Return the kind of figure called `name`, or the one at ``package.module:object``.

    Parameters
    ----------
    name : str
        Of the kind.
    place : str
        What the error calls the file or argument.
    drawn : bool
        Whether it must be drawn by code alone, or made from trained networks.

    Raises
    ------
    ValueError
        If there is none, or it is of the other sort.
    """
    entry = FIGURES.find(name, paths=True)
    if entry.drawn != drawn:
        sort, other = ("drawn by code", "drawing") if entry.drawn else ("measured", "analysis")
        raise ValueError(f"{place}: the figure {name} is {sort}; its target is of kind {other}")
    return entry


def check_options(name: str, given: dict[str, Any], place: str) -> dict[str, Any]:
    """Check the options of a figure; return them as plain JSON with every default filled in.

    Raises
    ------
    ValueError
        Naming `place`, the offending keys and what is allowed.
    """
    entry = find_figure(name, place)
    return checked(load_path(str(entry.options)), given, place).model_dump(mode="json")


def check_models(name: str, count: int, place: str) -> None:
    """Refuse a number of networks that a figure does not take."""
    least, most = find_figure(name, place).models
    if not least <= count <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise ValueError(f"{place}: {name} takes {wanted} models, got {count}")
