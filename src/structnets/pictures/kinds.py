"""What differs between the kinds of studies of pictures while their pictures are gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from structnets.data.sets.pictures import PictureList, class_names
from structnets.forms.scores.cells import score_in
from structnets.metrics.score_warnings import check_scores, score_warnings
from structnets.pictures.classes import check_classes, check_sides_of_classes, class_warnings
from structnets.pictures.found import Collection, Found
from structnets.pictures.label_sets import (
    check_labels,
    check_sides_of_labels,
    label_names,
    label_reader,
    label_warnings,
)
from structnets.pictures.splitting import split_labelled, split_pictures, split_scored
from structnets.pictures.tables import Reader, class_reader


@dataclass(frozen=True)
class Kind:
    """One kind of study of pictures.

    Attributes
    ----------
    reader : callable
        Reads labels of a table as text (`structnets.pictures.tables.Reader`).
    check : callable
        Refuses labels that are none, given all pictures and the column.
    names : callable
        The names of classes or labels, from all pictures' labels; none of scores.
    split : callable
        Chooses the pictures for testing (`structnets.pictures.splitting.split_pictures`).
    check_sides : callable
        Refuses a split that was given, of which both sides have pictures.
    warnings : callable
        What a reader should know, of the list and the column.
    """

    reader: Reader
    check: Callable[[Collection, str], None]
    names: Callable[[Sequence[str]], Sequence[str]]
    split: Callable[[Sequence[Found], Mapping[str, str], float, int], dict[str, str]]
    check_sides: Callable[[Sequence[Found]], None]
    warnings: Callable[[PictureList, str], list[str]]


def _check_scores(found: Collection, column: str) -> None:
    check_scores([picture.label for picture in found.pictures], column)


def _score_warnings(listed: PictureList, column: str) -> list[str]:
    scores = [float(picture.label) for picture in listed.pictures]
    count = len(scores) - len(listed.groups) + len(set(listed.groups.values()))
    whose = "groups of pictures" if listed.groups else "pictures"
    return score_warnings(column, scores, whose, count)


KINDS: Mapping[str, Kind] = {
    "classes": Kind(
        class_reader,
        check_classes,
        class_names,
        split_pictures,
        check_sides_of_classes,
        class_warnings,
    ),
    "regression": Kind(
        score_in,
        _check_scores,
        lambda labels: (),
        split_scored,
        lambda pictures: None,
        _score_warnings,
    ),
    "multilabel": Kind(
        label_reader,
        check_labels,
        label_names,
        split_labelled,
        check_sides_of_labels,
        label_warnings,
    ),
}
