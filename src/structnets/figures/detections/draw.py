"""Figure 11: precision–recall curves, and what boundary detectors find beside what people drew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from structnets.figures.picture_grid import PictureRow, place_pictures
from structnets.figures.precision_recall import PrecisionRecall, place_curves
from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv

_CURVE, _ROW, _COLUMN = 4.0, 1.1, 1.55  # inches


def draw_detections(
    curves: Sequence[PrecisionRecall],
    columns: Sequence[str],
    rows: Sequence[PictureRow],
    stem: Stem,
    *,
    title: str,
    note: str,
) -> list[Path]:
    """Draw curves beside rows of pictures; write ``<stem>.svg``, ``.png`` and ``.csv``.

    Parameters
    ----------
    curves : sequence of PrecisionRecall
        Of the detectors.
    columns : sequence of str
        Words above the pictures.
    rows : sequence of PictureRow
        One row an image.
    stem : Stem
    title, note : str
        Words above and below.

    Returns
    -------
    list of pathlib.Path
        The files; the CSV holds the curves.
    """
    width = _COLUMN * len(columns)
    size = (_CURVE + width, max(_CURVE + 0.5, _ROW * len(rows) + 0.8))
    ratios = {"gridspec_kw": {"width_ratios": (_CURVE, width)}}
    with figure(1, 2, size=size, **ratios) as (drawing, (left, right)):
        place_curves(left, curves)
        place_pictures(right, columns, rows)
        headline(drawing, title)
        footnote(drawing, note)
        files = save(drawing, stem)
    points = [
        {"net": curve.label, "recall": recall, "precision": precision}
        for curve in curves
        for recall, precision in zip(curve.recall, curve.precision, strict=True)
    ]
    return [*files, save_csv(stem, ("net", "recall", "precision"), points)]
