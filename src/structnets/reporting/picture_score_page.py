"""The report of a study that estimates a score of pictures: one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.pages import data_uri, page
from structnets.reporting.held_out_results import summary
from structnets.reporting.picture_page import of_any_pictures, picture, wrong_pictures
from structnets.reporting.picture_score_results import PictureScoreResults
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.score_page import SCORE_COLUMNS, score_number
from structnets.reporting.study_findings import Findings

_EXAMPLES = 5


def picture_score_page(
    results: PictureScoreResults,
    findings: Findings,
    curve: bytes,
    scatter: bytes,
    naming: Naming,
    again: Sequence[str],
) -> str:
    """Write the report.

    Parameters
    ----------
    scatter : bytes
        Estimates against scores, a PNG file.
    results, findings, curve, naming, again
        As for `structnets.reporting.picture_page.of_any_pictures`.

    Returns
    -------
    str
        HTML; whatever comes from the user's data is escaped.
    """
    images = ShardedSplit(results.prepared, "test")
    scores = results.manifest["scores"]
    return page(
        "structnets.reporting",
        "picture_scores.html",
        **of_any_pictures(results, findings, curve, naming, again),
        difference="{:+.3g}".format,
        columns=SCORE_COLUMNS,
        number=score_number,
        label=results.planned.study.label_column,
        scatter=data_uri(scatter, "image/png"),
        spread={split: summary([repr(s) for s in scores[split]]) for split in ("train", "test")},
        examples=_examples(results, images),
        misses=wrong_pictures(results, images, naming, results.misses),
    )


def _examples(results: PictureScoreResults, images: ShardedSplit) -> list[tuple[str, str]]:
    """Return score and picture of some tested ones, from the lowest to the highest."""
    order = np.argsort(results.truth, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, _EXAMPLES).astype(int))
    return [(f"{results.truth[n]:.4g}", picture(images, int(n))) for n in order[places]]
