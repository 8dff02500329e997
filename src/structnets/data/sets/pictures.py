"""Pictures of one's own, as a study lists them.

The list is a JSON file named after the digest of its content: for every picture its name, checksum,
class and split. It also says where the pictures lie, which is no part of the digest, so that equal
pictures in another place are the same data.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from structnets.content import content_digest
from structnets.data.originals.tars import FileRange
from structnets.data.sets.preparation import Content, Preparation
from structnets.files import read_json, write_json

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
SEPARATOR = ";"
"""Between the labels of one picture."""


@dataclass(frozen=True)
class ListedPicture:
    """One picture of a study.

    Attributes
    ----------
    name : str
        Its path below the folder of the pictures, with ``/``.
    size : int
        In bytes.
    sha256 : str
        Of its bytes.
    label : str
        Its class, its score as text, or its labels, with ``;`` between them.
    split : {"train", "test"}
        What it is for.
    group : int or None
        The same for pictures that belong together or are identical; None if it is alone.
    """

    name: str
    size: int
    sha256: str
    label: str
    split: Split
    group: int | None = None


@dataclass(frozen=True)
class PictureList:
    """The pictures of a study.

    Attributes
    ----------
    folder : str
        Where they lie.
    classes : tuple of str
        Names of the classes, or of the labels, in their order; none of scores.
    pictures : tuple of ListedPicture
        In order of their names, part by part as folders are listed.
    """

    folder: str
    classes: tuple[str, ...]
    pictures: tuple[ListedPicture, ...]

    @property
    def digest(self) -> str:
        """What names this content, wherever it lies; groups change nothing that is trained."""
        rows = ((p.name, p.sha256, p.label, p.split) for p in self.pictures)
        return content_digest([*rows, ("classes", *self.classes)])

    def of_split(self, split: Split) -> list[ListedPicture]:
        """Return the pictures of a split, in order."""
        return [picture for picture in self.pictures if picture.split == split]

    @property
    def groups(self) -> dict[str, int]:
        """The groups of several pictures, by the names of these."""
        return {p.name: p.group for p in self.pictures if p.group is not None}

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return the numbers for training and for testing of each class or label."""
        of = Counter((name, p.split) for p in self.pictures for name in labels_of(p.label))
        return {name: (of[name, "train"], of[name, "test"]) for name in self.classes}

    def save(self, folder: Path) -> Path:
        """Write the list into `folder` under its digest's name, and return the file.

        A file that says the same is left alone: what depends on it stays as new as it is.
        """
        path, content = folder / f"{self.digest}.json", asdict(self)
        if not path.is_file() or load_list(path) != self:
            write_json(path, content)
        return path


def load_list(path: Path) -> PictureList:
    """Read a list that `PictureList.save` wrote.

    Raises
    ------
    OSError, ValueError
        If it is not there, damaged, or not what its name says.
    """
    content = read_json(path)
    try:
        pictures = tuple(ListedPicture(**entry) for entry in content["pictures"])
        found = PictureList(content["folder"], tuple(content["classes"]), pictures)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is no list of pictures: {error}") from error
    if found.digest != path.stem:
        raise ValueError(f"{path} was changed: it has the digest {found.digest}")
    return found


@dataclass(frozen=True, slots=True)
class _KnownFile(FileRange):
    """A file whose bytes are compared with the list when they are read."""

    sha256: str = ""

    def read(self) -> bytes:
        content = FileRange.read(self)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(
                f"{self.path} has changed since the study was planned: call the study again"
            )
        return content


def read(asked: Preparation) -> Content:
    """List the pictures of the study whose ``content`` is asked for; they are stored as shards.

    The list lies in the folder of originals.

    Raises
    ------
    OSError, ValueError
        As `load_list` says, or if a picture changed since.
    """
    listed = _listed(asked)
    number = {name: index for index, name in enumerate(listed.classes)}
    data = {
        split: [(_file(listed, p), number[p.label]) for p in listed.of_split(split)]
        for split in SPLITS
    }
    return Content(data, {"content": listed.digest}, classes=listed.classes)


def read_scores(asked: Preparation) -> Content:
    """List pictures with a score each, as `read`; those of one split have its place as label.

    The data are, for ``train`` and ``test``, the files with their places, and the scores in order.
    """
    return _with_answers(asked, lambda picture, _: float(picture.label))


def read_labels(asked: Preparation) -> Content:
    """List pictures with any number of labels each, as `read_scores`; answers are their places."""
    return _with_answers(asked, label_places)


def label_places(picture: ListedPicture, names: Sequence[str]) -> list[int]:
    """Return the places of a picture's labels among all."""
    return sorted(map(names.index, labels_of(picture.label)))


def labels_of(text: str) -> list[str]:
    """Return the labels of a picture, which may have none.

    Examples
    --------
    >>> labels_of("cat;dog"), labels_of("")
    (['cat', 'dog'], [])
    """
    return text.split(SEPARATOR) if text else []


def _with_answers(
    asked: Preparation, answer: Callable[[ListedPicture, Sequence[str]], Any]
) -> Content:
    listed, data = _listed(asked), {}
    for split in SPLITS:
        pictures = listed.of_split(split)
        files = [(_file(listed, picture), place) for place, picture in enumerate(pictures)]
        data[split] = files, [answer(picture, listed.classes) for picture in pictures]
    return Content(data, {"content": listed.digest}, classes=listed.classes)


def _listed(asked: Preparation) -> PictureList:
    return load_list(asked.originals / f"{asked.option('content')}.json")


def _file(listed: PictureList, picture: ListedPicture) -> FileRange:
    path = str(Path(listed.folder) / picture.name)
    return _KnownFile(picture.name, path, 0, picture.size, picture.sha256)


def class_names(labels: Iterable[str]) -> Sequence[str]:
    """Return distinct class names in the order of their labels: numbers by value, else by name."""
    found = set(labels)
    if all(name.isdecimal() for name in found):
        return sorted(found, key=lambda name: (int(name), name))
    return sorted(found)
