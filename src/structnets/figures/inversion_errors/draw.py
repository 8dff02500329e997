"""Relative errors of inverted images (thesis section 6.4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from structnets.figures.style import (
    COLOURS,
    GREY,
    Stem,
    figure,
    footnote,
    legend_beside,
    save,
    save_csv,
)

_COLUMNS = ("network", "images", "precision", "mean", "maximum")
_ROUNDING = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


@dataclass(frozen=True)
class Error:
    """Of one network, set of images and precision: the mean over images, and the worst."""

    network: str
    images: str
    precision: str
    mean: float
    maximum: float


def draw_inversion_errors(
    errors: Sequence[Error], stem: Stem, *, title: str, note: str = ""
) -> list[Path]:
    """Draw a line per set of images: mean, worst, and the precision's unit of rounding.

    Parameters
    ----------
    errors : sequence of Error
        From above to below.
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
        If there is nothing to draw.
    """
    if not errors:
        raise ValueError("errors holds nothing to draw")
    places = range(len(errors))
    with figure(size=(6.4, 1.5 + 0.35 * len(errors))) as (drawing, axes):
        handles = axes.plot(
            [e.mean for e in errors], places, "o", color=COLOURS[0], label="mean error"
        )
        handles += axes.plot(
            [e.maximum for e in errors], places, "D", color=COLOURS[1], mfc="none", label="worst"
        )
        rounding = [_ROUNDING[e.precision] for e in errors]
        handles += axes.plot(
            rounding, places, "|", color=GREY, markersize=12, label="unit of rounding"
        )
        axes.set_yticks(places, labels=[_name(e) for e in errors])
        axes.invert_yaxis()
        axes.margins(y=0.15)
        axes.set(xscale="log", xlabel="relative error of the reconstruction", title=title)
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, [asdict(e) for e in errors])]


def _name(error: Error) -> str:
    parts = [error.network] if error.network else []
    return ", ".join([*parts, error.images, error.precision])
