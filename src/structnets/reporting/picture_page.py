"""What the reports of all studies of pictures share: one HTML page that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from structnets.data.prepared.shards import ShardedSplit
from structnets.pages import data_uri
from structnets.reporting.numbers import spent_s
from structnets.reporting.picture_results import PictureResults
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.study_findings import Findings, verdict

MOST_WRONG = 12


def of_any_pictures(
    results: PictureResults,
    findings: Findings,
    curve: bytes,
    naming: Naming,
    again: Sequence[str],
) -> dict[str, Any]:
    """Return what the template of every report of pictures is given.

    Parameters
    ----------
    results : PictureResults
        What was measured.
    findings : Findings
        What that says.
    curve : bytes
        The measure against the number of pictures, an SVG file.
    naming : Naming
        What pictures are called.
    again : sequence of str
        Commands that make it once more, and that use what was trained.
    """
    study, runs = results.planned.study, list(results.results.values())
    return dict(
        title=study.study.replace("_", " "),
        question=study.question,
        findings=findings,
        results=results,
        curve=data_uri(curve, "image/svg+xml"),
        differences=_differences(results),
        left_out=_left_out(results, naming),
        again=again,
        hours=sum(map(spent_s, runs)) / 3600,
        machines=sorted({run["hardware"]["name"] for run in runs}),
        versions=runs[0]["versions"],
    )


def _differences(results: PictureResults) -> list[dict[str, Any]]:
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
            "verdict": verdict(first, other, found, results.undecidable),
        }
        for other, size, found in pairs
    ]


def _left_out(results: PictureResults, naming: Naming) -> dict[str, list[str]]:
    """Return what pictures that were left out are called, by the reason."""
    named: dict[str, list[str]] = {}
    broken = [(entry["file"], entry["reason"]) for entry in results.manifest["quarantined"]]
    for name, reason in [*results.planned.gathered.left_out, *broken]:
        named.setdefault(reason, []).append(naming(name))
    return named


def picture(images: ShardedSplit, row: int) -> str:
    """Return a stored picture for a page."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(images.pixels(row)).save(stream, "PNG")
    return data_uri(stream.getvalue(), "image/png")


def wrong_pictures(
    results: PictureResults,
    images: ShardedSplit,
    naming: Naming,
    listed: Callable[[str, int, int], Sequence[Any]],
) -> dict[str, list[dict[str, Any]]]:
    """Return the most wrong pictures of each row, trained on most.

    Parameters
    ----------
    results, naming
        As for `of_any_pictures`.
    images : ShardedSplit
        The tested ones.
    listed : callable
        Returns those of a row, trained on so many, at most so many; each has a ``position``.
    """
    names = results.tested_names
    return {
        row: [
            {
                "wrong": one,
                "name": naming(names[one.position]),
                "source": picture(images, one.position),
            }
            for one in listed(row, results.sizes[-1], MOST_WRONG)
        ]
        for row in results.rows
    }
