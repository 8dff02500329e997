"""Files of a boundary evaluation: JSON and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.files import csv_text, write_atomic, write_json
from structnets.metrics.boundary.counting import COLUMNS

_IMAGE_COLUMNS = ("id", "threshold", "precision", "recall", "f")


def write_report(report: dict[str, Any], counts: np.ndarray, out: Path) -> list[Path]:
    """Write ``boundary.json``, ``images.csv`` and ``precision_recall.csv`` atomically.

    Parameters
    ----------
    report : dict
        As `structnets.metrics.boundary.evaluate_boundaries` returns it.
    counts : numpy.ndarray
        (N, T, 4) int64; their sums over images go into the table of the curve.
    out : pathlib.Path
        The folder.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    write_json(out / "boundary.json", report)
    write_atomic(out / "images.csv", csv_text(_IMAGE_COLUMNS, report["images"]))
    total = counts.sum(axis=0)
    rows = [
        {**point, **dict(zip(COLUMNS, map(int, row), strict=True))}
        for point, row in zip(report["curve"], total, strict=True)
    ]
    table = out / "precision_recall.csv"
    write_atomic(table, csv_text(tuple(rows[0]), rows))
    return [out / "boundary.json", out / "images.csv", table]
