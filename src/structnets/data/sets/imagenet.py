"""ImageNet (ILSVRC 2012) as published: which images there are, and which classes are taken.

In ``<data_root>/imagenet`` lie the three archives ``ILSVRC2012_img_train.tar`` (a tar of one tar
per class), ``ILSVRC2012_img_val.tar`` and ``ILSVRC2012_devkit_t12.tar.gz``, or what they extract
to: ``train/<wnid>/*`` and ``val/<wnid>/*``; ``val`` may be flat if the development kit is there.

The subsets of the thesis (section 3.4.1) are the classes with the largest folders, in bytes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.data.originals.devkit import validation_classes
from structnets.data.originals.tars import FileRange, list_tar
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries.catalogue import class_count
from structnets.data.sets.preparation import Content, Preparation

TRAIN_TAR = "ILSVRC2012_img_train.tar"
VAL_TAR = "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
WHERE = "https://image-net.org/challenges/LSVRC/2012 (registration needed)"
ALL_CLASSES = 1000
# The ten classes of the list that was released with the thesis' code.
RELEASED_TEN = (
    *("n01669191", "n01914609", "n01917289", "n01984695", "n02966193"),
    *("n03089624", "n03717622", "n04326547", "n07717410", "n09256479"),
)
_WNID = re.compile(r"n\d{8}")
_VAL_NUMBER = re.compile(r"ILSVRC2012_val_(\d{8})\.JPEG")

Classes = Mapping[str, Sequence[FileRange]]


@dataclass(frozen=True)
class Originals:
    """The images of each class, by WordNet id; test means ImageNet's validation images."""

    train: Classes
    test: Classes

    def counts(self) -> tuple[int, int]:
        """Return the number of training and of test images."""
        return _number(self.train), _number(self.test)


def read(asked: Preparation) -> Content:
    """List the images of the chosen classes; they are stored as shards.

    The prepare parameter ``classes`` chooses the 10, 20, 100 or 1000 (default) largest by bytes,
    and ``partial`` a copy that is not all of ImageNet (then without ``classes``: all there are).

    Raises
    ------
    OSError, ValueError
        As `find_originals`, `select_classes` and `check_whole` say.
    """
    folder = asked.originals / asked.name
    originals = find_originals(folder, partial=asked.partial)
    check_whole(asked.name, originals.counts(), asked.prepare, folder)
    number = class_count(asked.name, asked.prepare)
    if asked.partial and "classes" not in asked.prepare:
        number = len(originals.train)
    classes = select_classes(originals.train, number)
    released = compare_with_released(originals.train)
    source = {
        "images": dict(zip(("train", "test"), originals.counts(), strict=True)),
        "selection": "largest classes by bytes",
        "released_ten_classes": released,
    }
    remarks = [f"the ten largest classes are not those of the thesis: {released}"]
    return Content(
        images_of(originals, classes),
        source,
        classes=classes,
        remarks=remarks if released.startswith("different") else (),
    )


def images_of(originals: Originals, classes: Sequence[str]) -> dict[str, list[Any]]:
    """List the images of some classes with their labels, class by class."""
    return {
        split: [
            (file, label)
            for label, wnid in enumerate(classes)
            for file in sorted(found[wnid], key=lambda file: file.name)
        ]
        for split, found in (("train", originals.train), ("test", originals.test))
    }


def find_originals(folder: Path, *, partial: bool = False) -> Originals:
    """List all images of ImageNet in `folder`, from archives or from what they extract to.

    Nothing is read but headers and folders.

    Parameters
    ----------
    folder : Path
        Of the originals.
    partial : bool
        It is a copy that lacks images: its development kit need not be the published one.

    Raises
    ------
    FileNotFoundError
        If neither is there; the message says what belongs where.
    ValueError
        If an archive is damaged or refused, a folder is no class, a class is empty, or a class
        of one split is missing from the other.
    """
    train = _train(folder)
    test = _test(folder, partial)
    for split, classes in (("train", train), ("val", test)):
        if empty := sorted(wnid for wnid, files in classes.items() if not files):
            raise ValueError(f"{folder}: class {', '.join(empty)} of {split} is empty")
    if missing := sorted(set(train) ^ set(test)):
        split = "val" if missing[0] in train else "train"
        raise ValueError(f"{folder}: class {missing[0]} is missing from {split}")
    return Originals(train, test)


def rank_classes(classes: Classes) -> list[tuple[str, int]]:
    """Rank classes by the bytes of their images, the largest first.

    Returns
    -------
    list of (str, int)
        WordNet id and bytes; equal ones in the order of their ids.
    """
    total = {wnid: sum(file.size for file in files) for wnid, files in classes.items()}
    return sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))


def select_classes(classes: Classes, number: int) -> list[str]:
    """Return the `number` largest classes by bytes, in the order of their ids: label i is entry i.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    if number > len(classes):
        raise ValueError(f"{number} classes are asked for, but only {len(classes)} are there")
    return sorted(wnid for wnid, _ in rank_classes(classes)[:number])


def compare_with_released(classes: Classes) -> str:
    """Say whether the ten largest of all 1000 classes are those of the released list.

    Returns
    -------
    str
        ``equal``, ``not comparable`` unless all classes are there, or the differences.
    """
    if len(classes) != ALL_CLASSES:
        return f"not comparable: {len(classes)} of {ALL_CLASSES} classes"
    chosen = set(select_classes(classes, len(RELEASED_TEN)))
    if chosen == set(RELEASED_TEN):
        return "equal"
    more, fewer = sorted(chosen - set(RELEASED_TEN)), sorted(set(RELEASED_TEN) - chosen)
    return f"different: {', '.join(more)} chosen in place of {', '.join(fewer)}"


def _train(folder: Path) -> Classes:
    path = folder / TRAIN_TAR
    if not path.is_file():
        return _tree(folder / "train", f"{TRAIN_TAR} (1000 class archives in one)")
    found = {}
    for member in list_tar(path):
        wnid, dot, ending = member.name.partition(".")
        if not _WNID.fullmatch(wnid) or (dot, ending) != (".", "tar"):
            raise ValueError(f"{path}: member {member.name!r} is not named <wnid>.tar")
        found[wnid] = list_tar(path, member)
    return found


def _test(folder: Path, partial: bool) -> Classes:
    path, devkit = folder / VAL_TAR, folder / DEVKIT
    tree = folder / "val"
    if path.is_file():
        return _labelled(list_tar(path), devkit, partial)
    if tree.is_dir() and any(entry.is_file() for entry in tree.iterdir()):
        return _labelled(_files(tree), devkit, partial)
    return _tree(tree, f"{VAL_TAR} and {DEVKIT}")


def _tree(root: Path, instead: str) -> Classes:
    """List a folder of one folder per class."""
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root.parent} holds neither {instead} nor {root.name}/<wnid>/*.JPEG: get the "
            f"archives from {WHERE} and put them there"
        )
    folders = sorted(root.iterdir())
    if wrong := [entry.name for entry in folders if not _WNID.fullmatch(entry.name)]:
        raise ValueError(f"{root} holds {wrong[0]!r}, which is no class such as n01440764")
    return {entry.name: _files(entry) for entry in folders}


def _files(folder: Path) -> list[FileRange]:
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return [FileRange(path.name, str(path), 0, path.stat().st_size) for path in paths]


def _labelled(files: Iterable[FileRange], devkit: Path, partial: bool) -> Classes:
    """Sort the flat validation images into classes, by the development kit."""
    if not devkit.is_file():
        raise FileNotFoundError(
            f"{devkit} is missing: it holds the labels of the validation images; get it from "
            f"{WHERE} and put it there"
        )
    classes = validation_classes(devkit, verify_checksum=not partial)
    found: dict[str, list[FileRange]] = defaultdict(list)
    for file in files:
        match = _VAL_NUMBER.fullmatch(file.name)
        if match is None or not 1 <= int(match[1]) <= len(classes):
            raise ValueError(
                f"{file.path}: {file.name!r} is not named ILSVRC2012_val_<number>.JPEG with a "
                f"number of 1 to {len(classes)}"
            )
        found[classes[int(match[1]) - 1]].append(file)
    return found


def _number(classes: Classes) -> int:
    return sum(len(files) for files in classes.values())
