"""Pictures with any number of labels each, as a table names them: ``cat;dog``, or ``none``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from structnets.data.sets.pictures import SEPARATOR, PictureList, class_names, labels_of
from structnets.foreign.missing import is_missing
from structnets.foreign.near_names import refuse_near_names
from structnets.foreign.shown import shown
from structnets.pictures.classes import few_pictures, joined_names
from structnets.pictures.found import Collection, Found
from structnets.pictures.tables import NONE


def label_reader(column: str) -> Callable[[Mapping[str, str]], str]:
    """Return a reader of the labels in a line: sorted, with ``;`` between them.

    ``none`` in any case is no label: it is written on purpose, unlike what else programs write
    where they have no value.
    """

    def read(line: Mapping[str, str]) -> str:
        cell = line[column]
        if cell.casefold() == NONE:
            return ""
        if is_missing(cell):
            raise ValueError(
                f"{column} is {shown(cell)}: write {NONE} if the picture has none of the labels, "
                "or remove the line if they are not known"
            )
        labels = [label.strip() for label in cell.split(SEPARATOR)]
        if "" in labels:
            raise ValueError(f"{column} is {shown(cell)}: a label between {SEPARATOR} is empty")
        if wrong := sorted(n for n in labels if is_missing(n) or n.casefold() == NONE):
            raise ValueError(
                f"{column} is {shown(cell)}: {wrong[0]} says that there is no label, and stands "
                "beside others: remove it (a label of that name needs another)"
            )
        if doubled := sorted({label for label in labels if labels.count(label) > 1}):
            raise ValueError(f"{column} is {shown(cell)}: it has {shown(doubled[0])} twice")
        return SEPARATOR.join(sorted(labels))

    return read


def label_names(cells: Iterable[str]) -> Sequence[str]:
    """Return the names of all labels of some pictures, in their order."""
    return class_names(label for cell in cells for label in labels_of(cell))


def check_labels(found: Collection, column: str) -> None:
    """Refuse fewer than two labels, names that are nearly one, and what every picture has.

    Raises
    ------
    ValueError
        Naming them.
    """
    names = label_names(picture.label for picture in found.pictures)
    if len(names) < 2:
        raise ValueError(
            f"kind: multilabel: {column} has {len(names)} labels ({', '.join(names)}); at least "
            "two are needed: of one label, write the classes yes and no (kind: classes)"
        )
    refuse_near_names(names, "labels")
    for name in names:
        if all(name in labels_of(picture.label) for picture in found.pictures):
            raise ValueError(
                f"every picture has the label {name!r}: nothing can be learned of it. Remove it "
                f"from {column}, or add pictures without it"
            )


def check_sides_of_labels(pictures: Sequence[Found]) -> None:
    """Refuse a split that was given, unless both sides have pictures with and without each label.

    Raises
    ------
    ValueError
        Naming the label and the side.
    """
    for name in label_names(picture.label for picture in pictures):
        for split in ("train", "test"):
            has = {name in labels_of(p.label) for p in pictures if p.split == split}
            if len(has) < 2:
                which = "with" if True not in has else "without"
                raise ValueError(
                    f"no picture {which} the label {name!r} is for {split}: of each label some "
                    "pictures have to be, with it and without it"
                )


def label_warnings(listed: PictureList, column: str) -> list[str]:
    """Say what a reader should know of the numbers of the labels."""
    said = few_pictures(listed.counts(), "labels", "label")
    most = max(len(labels_of(picture.label)) for picture in listed.pictures)
    if most < 2:
        said.append(
            "No picture has more than one label: if each can have one alone, tell them apart as "
            "classes (kind: classes)."
        )
    return [*said, *joined_names(listed.classes)]
