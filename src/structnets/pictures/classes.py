"""Pictures of classes: which names are, and what a reader should know of their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from structnets.data.sets.pictures import SEPARATOR, PictureList
from structnets.foreign.near_names import refuse_near_names
from structnets.pictures.found import Collection, Found

FEW_TEST, FEW_TRAIN, UNEQUAL = 10, 5, 5
_OTHER_MARKS = ",|/+&"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def check_classes(found: Collection, column: str) -> None:
    """Refuse fewer than two classes, and names that are none.

    Raises
    ------
    ValueError
        Naming them.
    """
    labels = {picture.label for picture in found.pictures}
    if len(labels) < 2:
        raise ValueError(
            f"{found.folder} has pictures of {len(labels)} classes ({', '.join(sorted(labels))}); "
            "at least two are needed: a folder for each class, with its pictures in it"
        )

    if several := sorted(label for label in labels if SEPARATOR in label):
        raise ValueError(
            f"the label {several[0]!r} names several classes, separated by ;. If pictures have "
            "several labels, write kind: multilabel (with a table); if it is one name, write "
            "another sign in place of ;"
        )
    refuse_near_names(labels, "classes")
    if 2 * len(labels) > len(found.pictures) and all(map(_NUMBER.fullmatch, labels)):
        raise ValueError(
            f"the labels of {len(found.pictures)} pictures are {len(labels)} different numbers: to "
            "estimate them, write kind: regression (with a table); else write names of ranges in "
            "their place"
        )


def check_sides_of_classes(pictures: Sequence[Found]) -> None:
    """Refuse a split that was given and leaves a class without a picture on one side."""
    classes = {picture.label for picture in pictures}
    for split in ("train", "test"):
        there = {picture.label for picture in pictures if picture.split == split}
        if missing := sorted(classes - there):
            raise ValueError(f"class {missing[0]!r} has no picture for {split}")


def class_warnings(listed: PictureList, column: str) -> list[str]:
    """Say what a reader should know of the numbers of the classes."""
    counts = listed.counts()
    said = few_pictures(counts, "classes", "class")
    totals = {name: sum(pair) for name, pair in counts.items()}
    least, most = min(totals, key=totals.__getitem__), max(totals, key=totals.__getitem__)
    if totals[most] >= UNEQUAL * totals[least]:
        said.append(
            f"The classes are unequal: {totals[most]} pictures of {most}, {totals[least]} of "
            f"{least}. Look at the balanced accuracy, which counts every class alike."
        )
    return [*said, *joined_names(counts)]


def few_pictures(counts: Mapping[str, tuple[int, int]], many: str, one: str) -> list[str]:
    """Say of which classes, or labels, there are few pictures.

    Parameters
    ----------
    counts : mapping
        Numbers for training and for testing, by name.
    many, one : str
        What the names are of.
    """
    said = []
    few = [f"{name} ({test})" for name, (_, test) in counts.items() if test < FEW_TEST]
    if few:
        said.append(
            f"Few pictures to test on in {len(few)} of {len(counts)} {many}, "
            f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}: what is measured of one {one} "
            "alone says little."
        )
    few = [f"{name} ({train})" for name, (train, _) in counts.items() if train < FEW_TRAIN]
    if few:
        said.append(
            f"Few pictures to train on in {len(few)} of {len(counts)} {many}, "
            f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}."
        )
    return said


def joined_names(names: Iterable[str]) -> list[str]:
    """Say that a name looks like several of the others, with another sign than ; between them.

    Examples
    --------
    >>> joined_names(["sea", "people", "sea|people", "and/or"])
    ["'sea|people' looks like several names: if it is, write ; between them (kind: multilabel)."]
    """
    known = set(names)
    several = [
        name
        for name in sorted(known)
        for mark in _OTHER_MARKS
        if mark in name and {part.strip() for part in name.split(mark)} <= known
    ]
    if not several:
        return []
    return [
        f"{several[0]!r} looks like several names: if it is, write ; between them (kind: "
        "multilabel)."
    ]
