"""From what a study says to the list of its pictures: found, read, checked, split."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from structnets.content import ListedFile, list_files
from structnets.data.sets.pictures import ListedPicture, PictureList, class_names
from structnets.identity import digest
from structnets.metrics.score_warnings import check_scores, score_warnings
from structnets.pictures.found import Collection, Found, in_folder, in_table
from structnets.pictures.splitting import split_pictures, split_scored
from structnets.specs.study import Study

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
FEW_TEST, FEW_TRAIN, UNEQUAL = 10, 5, 5


@dataclass(frozen=True)
class Gathered:
    """The pictures of a study.

    Attributes
    ----------
    pictures : PictureList
        What is trained and tested on.
    left_out : list of (str, str)
        What is not, and why.
    warnings : list of str
        What a reader should know of these data, in whole sentences.
    """

    pictures: PictureList
    left_out: list[tuple[str, str]]
    warnings: list[str]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return the numbers for training and for testing of each class; none of scores."""
        of = Counter((picture.label, picture.split) for picture in self.pictures.pictures)
        return {name: (of[name, "train"], of[name, "test"]) for name in self.pictures.classes}


def gather(
    study: Study,
    file: Path,
    memory: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Gathered:
    """Find, read and split the pictures of a study.

    Parameters
    ----------
    study : Study
        What is asked for.
    file : Path
        Where it is written; its paths are relative to it.
    memory : Path, optional
        Folder in which checksums are kept from call to call.
    progress : callable
        Told files read and their total.

    Raises
    ------
    OSError
        If a folder, table or picture is not there.
    ValueError
        If there are fewer than two classes, a class has no picture on one side, or identical
        pictures have two labels or are on both sides; both names are told. If scores have fewer
        than three values.
    """
    found = collect(study, file).without(study.exclude)
    known = None if memory is None else memory / f"{digest(str(found.folder))[:16]}.json"
    names = [picture.name for picture in found.pictures]
    files = {f.name: f for f in list_files(found.folder, names, known, progress)}
    empty = {name for name, file in files.items() if not file.size}
    found.left_out += [(name, "is empty: it has no byte") for name in sorted(empty)]
    found.pictures = [picture for picture in found.pictures if picture.name not in empty]
    same = _identical(found.pictures, files)
    if study.regression:
        check_scores([picture.label for picture in found.pictures], study.label_column)
    else:
        _check_classes(found)
    _check_identical(same)
    if not all(picture.split for picture in found.pictures):
        groups, part, seed = _groups(found.pictures, same), study.split.test, study.split.seed
        split = split_scored if study.regression else split_pictures
        chosen = split(found.pictures, groups, part, seed)
        found.pictures = [replace(p, split=chosen[p.name]) for p in found.pictures]
    else:
        _check_given(found.pictures, scored=study.regression)
    labels = () if study.regression else class_names(p.label for p in found.pictures)
    listed = PictureList(
        str(found.folder),
        tuple(labels),
        tuple(_listed(picture, files[picture.name]) for picture in found.pictures),
    )
    gathered = Gathered(listed, found.left_out, _doubled(same))
    if study.regression:
        scores = [float(picture.label) for picture in listed.pictures]
        gathered.warnings[:0] = score_warnings(study.label_column, scores, "pictures")
    else:
        gathered.warnings[:0] = _class_warnings(gathered)
    return gathered


def collect(study: Study, file: Path) -> Collection:
    """Find the pictures of a study, in its table or its folder."""
    folder = None if study.images is None else study.place(study.images, file)
    if study.table is not None:
        return in_table(
            study.place(study.table, file),
            folder,
            study.split.groups,
            label=study.label_column,
            scored=study.regression,
        )
    assert folder is not None
    return in_folder(folder, study.split.groups)


def _listed(picture: Found, file: ListedFile) -> ListedPicture:
    split = "test" if picture.split == "test" else "train"
    return ListedPicture(picture.name, file.size, file.sha256, picture.label, split)


def _identical(pictures: Sequence[Found], files: dict[str, ListedFile]) -> list[list[Found]]:
    """Return the pictures whose files are equal byte for byte, together."""
    by_content: dict[str, list[Found]] = defaultdict(list)
    for picture in pictures:
        by_content[files[picture.name].sha256].append(picture)
    return [equal for equal in by_content.values() if len(equal) > 1]


def _check_classes(found: Collection) -> None:
    labels = {picture.label for picture in found.pictures}
    if len(labels) < 2:
        raise ValueError(
            f"{found.folder} has pictures of {len(labels)} classes ({', '.join(sorted(labels))}); "
            "at least two are needed: a folder for each class, with its pictures in it"
        )

    if several := sorted(label for label in labels if ";" in label):
        raise ValueError(
            f"the label {several[0]!r} names several classes, separated by ;: a study gives each "
            "picture one. Keep one name, write a study of each label with the classes yes and no, "
            "or, if it is one name, write another sign in place of ;"
        )
    _refuse_near_labels(labels)
    if 2 * len(labels) > len(found.pictures) and all(map(_NUMBER.fullmatch, labels)):
        raise ValueError(
            f"the labels of {len(found.pictures)} pictures are {len(labels)} different numbers: to "
            "estimate them, write kind: regression (with a table); else write names of ranges in "
            "their place"
        )


def _refuse_near_labels(labels: Iterable[str]) -> None:
    """Refuse classes whose names look alike: one written in two ways, in all likelihood.

    They differ in capitals, blanks, how a letter with an accent is written, or as 1 and 1.0 do.
    """
    first: dict[str, str] = {}
    for label in sorted(labels):
        plain = " ".join(unicodedata.normalize("NFKC", label).casefold().split())
        plain = plain.removesuffix(".0") if _NUMBER.fullmatch(plain) else plain
        if (other := first.setdefault(plain, label)) != label:
            raise ValueError(
                f"the classes {other!a} and {label!a} have nearly one name: give both "
                "the same, or names that differ in more than capitals, blanks and accents' encoding"
            )


def _check_identical(same: Sequence[Sequence[Found]]) -> None:
    for equal in same:
        first = equal[0]
        for other in equal[1:]:
            if other.label != first.label:
                raise ValueError(
                    f"{first.name} and {other.name} are the same picture, but of the labels "
                    f"{first.label!r} and {other.label!r}: remove one, or name it in exclude"
                )
            if other.split != first.split:
                raise ValueError(
                    f"{first.name} (for {first.split}) and {other.name} (for {other.split}) are "
                    "the same picture: what is tested must not be trained on; remove one, or name "
                    "it in exclude"
                )


def _groups(pictures: Sequence[Found], same: Sequence[Sequence[Found]]) -> dict[str, str]:
    """Return the group of each picture; those that share an identical picture are one."""
    groups = {picture.name: picture.group or f"\0{picture.name}" for picture in pictures}
    leader = {group: group for group in groups.values()}

    def find(group: str) -> str:
        while leader[group] != group:
            group = leader[group]
        return group

    for equal in same:
        for other in equal[1:]:
            leader[find(groups[other.name])] = find(groups[equal[0].name])
    return {name: find(group) for name, group in groups.items()}


def _check_given(pictures: Sequence[Found], *, scored: bool) -> None:
    """Check a split that folders or a table give."""
    sides: dict[str, Found] = {}
    for picture in pictures:
        other = sides.setdefault(picture.group, picture) if picture.group else picture
        if other.split != picture.split:
            raise ValueError(
                f"group {picture.group!r} is on both sides: {other.name} is for {other.split}, "
                f"{picture.name} for {picture.split}"
            )
    for split in ("train", "test"):
        there = {picture.label for picture in pictures if picture.split == split}
        if not there:
            raise ValueError(f"no picture is for {split}: say of some in the table that they are")
        missing = sorted({picture.label for picture in pictures} - there)
        if missing and not scored:
            raise ValueError(f"class {missing[0]!r} has no picture for {split}")


def _class_warnings(gathered: Gathered) -> list[str]:
    counts = gathered.counts()
    said = []
    few = [f"{name} ({test})" for name, (_, test) in counts.items() if test < FEW_TEST]
    if few:
        said.append(
            f"Few pictures to test on in {len(few)} of {len(counts)} classes, "
            f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}: what is measured of one class "
            "alone says little."
        )
    few = [f"{name} ({train})" for name, (train, _) in counts.items() if train < FEW_TRAIN]
    if few:
        said.append(
            f"Few pictures to train on in {len(few)} of {len(counts)} classes, "
            f"{', '.join(few[:5])}{' …' if len(few) > 5 else ''}."
        )
    totals = {name: sum(pair) for name, pair in counts.items()}
    least, most = min(totals, key=totals.__getitem__), max(totals, key=totals.__getitem__)
    if totals[most] >= UNEQUAL * totals[least]:
        said.append(
            f"The classes are unequal: {totals[most]} pictures of {most}, {totals[least]} of "
            f"{least}. Look at the balanced accuracy, which counts every class alike."
        )
    return said


def _doubled(same: Sequence[Sequence[Found]]) -> list[str]:
    if not same:
        return []
    return [
        f"{sum(len(equal) - 1 for equal in same)} pictures are there more than once; they stay on "
        "one side of the split, but count more than once."
    ]
