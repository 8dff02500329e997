"""`DatasetEntry`: what is known of a data set before any file is read (standard library only)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets.data.sets.entries.known_file import KnownFile
from structnets.entries import Entry

Allowed = tuple[bool | int | str | type, ...]


@dataclass(frozen=True)
class Original:
    """One thing that a preparation reads.

    Attributes
    ----------
    places : tuple of str
        Below the folder of all original data; it lies at one of them. Of a published file the
        first is its own.
    file : KnownFile, optional
        The published file, with its size and checksums.
    where : str
        Where to get it and what it holds, of what is no single published file.
    size : int
        Its bytes, where it is no single published file; 0 where they are not known.
    unless : pair of str, optional
        A prepare parameter and its value for which it is not read.
    """

    places: tuple[str, ...]
    file: KnownFile | None = None
    where: str = ""
    size: int = 0
    unless: tuple[str, str] | None = None

    def is_there(self, data_root: Path) -> bool:
        """Say whether it lies at one of its places."""
        return any((data_root / place).exists() for place in self.places)

    @property
    def bytes(self) -> int:
        """Return how large it is; 0 where that is not known."""
        return self.size if self.file is None else self.file.size

    def how_to_get(self, data_root: Path) -> str:
        """Say where to get it and where to put it, in one phrase."""
        first = data_root / self.places[0]
        if self.file is not None:
            return self.file.how_to_get(first.parent)
        size = f" ({self.size} bytes to get)" if self.size else ""
        return f"get {self.where} and put it at {first}{size}"


@dataclass(frozen=True)
class DatasetEntry(Entry):
    """One data set: what it is, and how it is prepared.

    Attributes
    ----------
    constructor : str
        Function that reads the originals, as ``package.module:object``: given a
        `structnets.data.sets.preparation.Preparation`, it returns the
        `structnets.data.sets.preparation.Content` that the form stores.
    note : str
        What it is, in one line.
    image_shape : tuple of int
        (C, H, W) of every image, or (C, X, Y, Z) of every volume; uint8.
    classes : tuple of str
        Class names; a label is an index into them. Empty where only the originals tell which
        classes a subset has: the prepare parameter ``classes`` then allows the numbers of them,
        the whole set's first.
    train_count, test_count : int
        Number of images of each split, of the whole data set. A cohort has no test set, and 0
        if it is the user's. Of an infinite set, those of one epoch.
    form : str
        How it is stored, and so read and learned (`structnets.forms.entries.FORMS`).
    parameters : mapping of str to tuple
        Keys that the ``prepare`` object of a spec may hold, with the values each allows.
        A key that is left out means the default. A type stands for all its values.
    defaults : mapping
        Values that mean the same as leaving a parameter out, by its key.
    largest_class : int
        Training images of the largest class, where `classes` is empty.
    originals : tuple of Original
        What is read. Of built-in data, which come with packages, there are none.
    minutes, memory_mb, threads : int
        What its preparation is given as a job; one of several threads goes to the cluster.
    download : bool
        Whether its published files may be fetched from their mirrors.
    by_subject : bool
        Whether each scan is registered by a job of its own (`structnets.cohorts`).
    listed : bool
        Whether it is made of the user's own files, of which a study lists each. The prepare
        parameter ``content`` is the digest of that list, so that it is in the name of every run.
    """

    image_shape: tuple[int, ...] = (3, 32, 32)
    classes: tuple[str, ...] = ()
    train_count: int = 0
    test_count: int = 0
    form: str = "splits"
    parameters: Mapping[str, Allowed] = field(default_factory=dict)
    defaults: Mapping[str, bool | int | str] = field(default_factory=dict)
    largest_class: int = 0
    originals: tuple[Original, ...] = ()
    minutes: int = 30
    memory_mb: int = 2000
    threads: int = 1
    download: bool = False
    by_subject: bool = False
    listed: bool = False

    @property
    def cohort(self) -> bool:
        """Whether subjects are cross-validated: seed s holds out fold s mod k of a repetition."""
        return self.form in ("cohort", "scores")

    @property
    def built_in(self) -> bool:
        """Whether it comes with packages, so that no original is needed."""
        return not self.originals and not self.by_subject and not self.listed

    def missing(self, prepare: Mapping[str, Any], data_root: Path) -> list[Original]:
        """List the originals that a preparation reads and that are not there."""
        return [
            original
            for original in self.originals
            if not (original.unless and prepare.get(original.unless[0]) == original.unless[1])
            and not original.is_there(data_root)
        ]
