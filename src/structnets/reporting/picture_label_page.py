"""The report of a study of pictures with labels: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.data.sets.pictures import SEPARATOR
from structnets.pages import page
from structnets.reporting.picture_label_results import PictureLabelResults
from structnets.reporting.picture_page import of_any_pictures, picture, wrong_pictures
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.study_findings import Findings

COLUMNS = {
    "map": "mean average precision",
    "auc": "area under ROC",
    "f1": "F1",
    "exact_match": "all labels right",
}
_OF_EACH = {"ap": "average precision", "auc": "area under ROC", "f1": "F1"}
_EXAMPLES = 6


def picture_label_page(
    results: PictureLabelResults,
    findings: Findings,
    curve: bytes,
    naming: Naming,
    again: Sequence[str],
) -> str:
    """Write the report; parameters as `structnets.reporting.picture_page.of_any_pictures` has them.

    Returns
    -------
    str
        HTML; whatever comes from the user's data is escaped.
    """
    images, size = ShardedSplit(results.prepared, "test"), results.sizes[-1]
    return page(
        "structnets.reporting",
        "picture_labels.html",
        **of_any_pictures(results, findings, curve, naming, again),
        difference="{:+.1f}".format,
        columns=COLUMNS,
        of_each=_OF_EACH,
        each={row: results.of_each[row, size] for row in results.all_rows},
        counts={
            label: {"train": int(train), "test": int(test)}
            for label, train, test in zip(
                results.labels, results.training.sum(0), results.truth.sum(0), strict=True
            )
        },
        bare={
            "train": int((results.training.sum(1) == 0).sum()),
            "test": int((results.truth.sum(1) == 0).sum()),
        },
        examples=_examples(results, images),
        mistakes=wrong_pictures(results, images, naming, results.mistakes),
    )


def _examples(results: PictureLabelResults, images: ShardedSplit) -> list[tuple[str, str]]:
    """Return labels and picture of some tested ones, each of another set of labels."""
    sets = [results.labels_of(has) for has in results.truth]
    first = np.sort(np.unique(sets, return_index=True)[1])[:_EXAMPLES]
    return [(sets[n].replace(SEPARATOR, f"{SEPARATOR} "), picture(images, int(n))) for n in first]
