"""The report of a study of classes: one HTML page that needs nothing else, to print and send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.pages import page
from structnets.reporting.picture_page import of_any_pictures, picture, wrong_pictures
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.study_findings import Findings
from structnets.reporting.study_results import Mistake, StudyResults

EXAMPLES, MOST_CLASSES = 3, 40
_SHOWN_CLASSES = 8


def study_page(
    results: StudyResults,
    findings: Findings,
    curve: bytes,
    naming: Naming,
    again: Sequence[str],
) -> str:
    """Write the report; parameters as `structnets.reporting.picture_page.of_any_pictures` has them.

    Returns
    -------
    str
        HTML. Whatever comes from the user's data is escaped.
    """
    images = ShardedSplit(results.prepared, "test")

    def mistakes(row: str, size: int, most: int) -> list[Mistake]:
        return results.mistakes(row, size, images.labels, most)

    return page(
        "structnets.reporting",
        "study.html",
        **of_any_pictures(results, findings, curve, naming, again),
        difference="{:+.1f}".format,
        unequal=len(set(results.manifest["counts"]["test"].values())) > 1,
        examples=_examples(results, images),
        confusions=_confusions(results),
        mistakes=wrong_pictures(results, images, naming, mistakes),
    )


def _examples(results: StudyResults, images: ShardedSplit) -> list[tuple[str, str]]:
    """Return class and picture of some tested ones, as the nets see them."""
    classes = results.classes[:_SHOWN_CLASSES]
    each = 1 if len(classes) > 4 else EXAMPLES
    return [
        (name, picture(images, int(row)))
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
