"""The precision–recall plot of a boundary evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.figures.precision_recall import PrecisionRecall, draw_precision_recall


def draw_evaluation(report: dict[str, Any], out: Path) -> list[Path]:
    """Write ``precision_recall.{svg,png}`` atomically.

    Parameters
    ----------
    report : dict
        As `structnets.metrics.boundary.evaluate_boundaries` returns it.
    out : pathlib.Path
        The folder.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    ods = report["ods"]
    curve = PrecisionRecall(
        label=f"F = {ods['f']:.3f}",
        recall=[point["recall"] for point in report["curve"]],
        precision=[point["precision"] for point in report["curve"]],
        best=(ods["recall"], ods["precision"]),
    )
    stem = out / "precision_recall"
    return draw_precision_recall([curve], stem, title="Boundaries", note=_note(report))


def _note(report: dict[str, Any]) -> str:
    settings = report["settings"]
    words = [
        f"{len(report['images'])} images",
        f"{settings['thresholds']} thresholds",
        f"distance up to {settings['max_distance']:g} diagonals",
        f"suppression: {settings['nms']}",
        f"OIS {report['ois']['f']:.3f}",
        f"AP {report['ap']:.3f}",
    ]
    return ", ".join(words)
