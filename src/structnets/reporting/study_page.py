"""The report of a study: one HTML page that needs nothing else, to read, print and send."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.pages import data_uri, page
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.study_findings import Findings, verdict
from structnets.reporting.study_results import StudyResults

MOST_MISTAKES, EXAMPLES, MOST_CLASSES = 12, 3, 40
_SHOWN_CLASSES = 8


def study_page(
    results: StudyResults,
    findings: Findings,
    prepared: Path,
    curve: bytes,
    naming: Naming,
    again: Sequence[str],
) -> str:
    """Write the report.

    Parameters
    ----------
    results : StudyResults
        What was measured.
    findings : Findings
        What that says.
    prepared : Path
        Folder of the prepared pictures.
    curve : bytes
        Accuracy against the number of pictures, an SVG file.
    naming : Naming
        What pictures are called.
    again : sequence of str
        Commands that make it once more, and that use what was trained.

    Returns
    -------
    str
        HTML. Whatever comes from the user's data is escaped.
    """
    study, runs = results.planned.study, list(results.results.values())
    images = ShardedSplit(prepared, "test")
    return page(
        "structnets.reporting",
        "study.html",
        title=study.study.replace("_", " "),
        question=study.question,
        findings=findings,
        results=results,
        unequal=len(set(results.manifest["counts"]["test"].values())) > 1,
        curve=data_uri(curve, "image/svg+xml"),
        differences=_differences(results),
        left_out=_left_out(results, naming),
        examples=_examples(results, images),
        confusions=_confusions(results),
        mistakes=_mistakes(results, images, prepared, naming),
        again=again,
        hours=sum(run["wall_s"] for run in runs) / 3600,
        machines=sorted({run["hardware"]["name"] for run in runs}),
        versions=runs[0]["versions"],
    )


def _differences(results: StudyResults) -> list[dict[str, Any]]:
    first, *others = results.rows
    pairs = [
        (other, size, results.difference(first, other, size))
        for other in others
        for size in results.sizes
    ]
    return [
        {
            "first": first,
            "other": other,
            "size": size,
            "found": found,
            "verdict": verdict(first, other, found),
        }
        for other, size, found in pairs
    ]


def _left_out(results: StudyResults, naming: Naming) -> dict[str, list[str]]:
    """Return what pictures that were left out are called, by the reason."""
    named: dict[str, list[str]] = {}
    broken = [(entry["file"], entry["reason"]) for entry in results.manifest["quarantined"]]
    for name, reason in [*results.planned.gathered.left_out, *broken]:
        named.setdefault(reason, []).append(naming(name))
    return named


def _examples(results: StudyResults, images: ShardedSplit) -> list[tuple[str, str]]:
    """Return class and picture of some tested ones, as the nets see them."""
    classes = results.classes[:_SHOWN_CLASSES]
    each = 1 if len(classes) > 4 else EXAMPLES
    return [
        (name, _picture(images, int(row)))
        for label, name in enumerate(classes)
        for row in np.flatnonzero(images.labels == label)[:each]
    ]


def _confusions(results: StudyResults) -> list[tuple[str, Any, Any]] | None:
    """Return counts and rates of each row, trained on most; None where classes are too many."""
    if len(results.classes) > MOST_CLASSES:
        return None
    found = []
    for row in results.rows:
        counts = results.confusion(row, results.sizes[-1])
        rates = counts / counts.sum(1, keepdims=True).clip(1)
        found.append((row, counts.tolist(), rates.tolist()))
    return found


def _mistakes(
    results: StudyResults, images: ShardedSplit, prepared: Path, naming: Naming
) -> dict[str, list[dict[str, Any]]]:
    """Return the surest wrong answers of each row, trained on most."""
    names = (prepared / "test_names.txt").read_text().splitlines()
    return {
        row: [
            {
                "mistake": mistake,
                "name": naming(names[mistake.position]),
                "source": _picture(images, mistake.position),
            }
            for mistake in results.mistakes(row, results.sizes[-1], images.labels, MOST_MISTAKES)
        ]
        for row in results.rows
    }


def _picture(images: ShardedSplit, row: int) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(images.pixels(row)).save(stream, "PNG")
    return data_uri(stream.getvalue(), "image/png")
