"""The numbers of a study of pictures with labels: of all labels, of each, the most wrong ones."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from structnets.data.prepared.shard_answers import LABEL_SETS
from structnets.forms.entries import LABEL_METRICS
from structnets.forms.picture_labels.subset import parts
from structnets.forms.shards.stored import load_answers
from structnets.metrics.grouped import Regrouped, score_over_groups
from structnets.metrics.multilabel import (
    by_chance,
    draws_of,
    mean_average_precision,
    scores_of_each,
    scores_of_labels,
)
from structnets.pictures.tables import written_labels
from structnets.reporting.answered_results import AnsweredResults
from structnets.reporting.picture_results import Measured, measured, within
from structnets.specs.study import RATES

_PERCENT = (0, 100)
_EACH = 3


@dataclass(frozen=True)
class WrongLabel:
    """A label that a row tells wrongly of a tested picture.

    Attributes
    ----------
    position : int
        In the test split.
    label : str
    there : bool
        Whether the picture has it.
    probability : float
        What the row says of that, the mean over the seeds.
    """

    position: int
    label: str
    there: bool
    probability: float


class PictureLabelResults(AnsweredResults):
    """What was measured of labels; attributes as `PictureResults` has them."""

    kept, beside, higher = "logits", RATES, True
    ends: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(LABEL_METRICS, _PERCENT)

    @property
    def labels(self) -> list[str]:
        """Names of the labels."""
        return list(self.manifest["classes"])

    @cached_property
    def truth(self) -> np.ndarray:
        """Whether the tested pictures have each label, (N, labels)."""
        return load_answers(self.prepared, "test", LABEL_SETS)[1]

    @cached_property
    def training(self) -> np.ndarray:
        """Whether the pictures for training have each label, (N, labels)."""
        return load_answers(self.prepared, "train", LABEL_SETS)[1]

    def same_of_all(self, spec: Any) -> np.ndarray:
        """Return how frequent labels are among the pictures that a run is trained on, as logits."""
        train, _ = parts(spec, self.training, self.labels)
        rates = self.training[train].mean(0)
        return np.log(rates / (1 - rates))

    def scores_of(self, answers: np.ndarray) -> dict[str, float]:
        """Return the metrics of logits, (N, labels)."""
        return scores_of_labels(self.truth, answers)

    def by_chance(self, row: str, size: int) -> float:
        """Return how often a row's answers reach what they do when they are shuffled."""
        answers = np.array(list(self.answers(row, size).values()))
        return by_chance(self.truth, answers, groups=self.groups if self.grouped else None)

    def score_over_groups(self, row: str, size: int) -> Regrouped:
        """Return the mean average precision of a cell, in percent, over the tested groups."""
        answers = list(self.answers(row, size).values())

        def score(rows: np.ndarray) -> float:
            sets = self.truth[rows]
            return float(np.mean([mean_average_precision(sets, said[rows]) for said in answers]))

        return score_over_groups(score, self.groups, draws_of(self.tested))

    @cached_property
    def of_each(self) -> dict[tuple[str, int], dict[str, dict[str, Measured]]]:
        """``ap``, ``auc`` and ``f1`` of each label in each cell, a row and a size."""
        found = {}
        for row, size in itertools.product(self.all_rows, self.sizes):
            each = [scores_of_each(self.truth, said) for said in self.answers(row, size).values()]
            found[row, size] = {
                label: {
                    key: within(measured([float(one[key][place]) for one in each]), *_PERCENT)
                    for key in each[0]
                }
                for place, label in enumerate(self.labels)
            }
        return found

    def probabilities(self, row: str, size: int) -> dict[int, np.ndarray]:
        """Return what a row says of the tested pictures, (N, labels), by seed."""
        return {seed: 1 / (1 + np.exp(-said)) for seed, said in self.answers(row, size).items()}

    def mistakes(self, row: str, size: int, most: int) -> list[WrongLabel]:
        """List the surest wrong answers, at most three of a label, that told worst first."""
        said = np.mean(list(self.probabilities(row, size).values()), axis=0)
        precision = {label: found["ap"].mean for label, found in self.of_each[row, size].items()}
        listed = []
        for label in sorted(precision, key=precision.__getitem__):
            place = self.labels.index(label)
            off = np.abs(said[:, place] - self.truth[:, place])
            worst = [n for n in np.argsort(-off, kind="stable")[:_EACH] if off[n] > 0.5]
            listed += [
                WrongLabel(int(n), label, bool(self.truth[n, place]), float(said[n, place]))
                for n in worst
            ]
        return listed[:most]

    def labels_of(self, row: np.ndarray) -> str:
        """Write the labels that are 1 in (labels,), as a table has them."""
        return written_labels(name for name, has in zip(self.labels, row, strict=True) if has)

    def each_label(self) -> list[dict[str, Any]]:
        """List what each row reaches of each label, as plain JSON."""
        return [
            {
                "row": row,
                "train_size": size,
                "label": label,
                **{key: score.mean for key, score in found.items()},
                "low": found["ap"].low,
                "high": found["ap"].high,
                "seeds": found["ap"].n,
            }
            for size in self.sizes
            for row in self.all_rows
            for label, found in self.of_each[row, size].items()
        ]

    def predictions(self) -> list[dict[str, Any]]:
        """List the probabilities of every tested picture, from most training pictures."""
        return [
            {
                "picture": name,
                "labels": self.labels_of(has),
                "row": row,
                "seed": seed,
                **{f"p({label})": f"{p:.6f}" for label, p in zip(self.labels, of, strict=True)},
            }
            for row in self.rows
            for seed, said in sorted(self.probabilities(row, self.sizes[-1]).items())
            for name, has, of in zip(self.tested_names, self.truth, said, strict=True)
        ]
