"""What a data set's function is given, and what it returns for its form to store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets.data.sets.entries import DatasetEntry
from structnets.data.sets.entries.catalogue import check_parameters, find_dataset


@dataclass(frozen=True)
class Preparation:
    """A data set that is about to be prepared.

    Parameters
    ----------
    name : str
        The data set.
    prepare : mapping
        Its parameters, as a spec has them.
    data_root : Path, optional
        Folder of all original data sets; built-in data need none.
    scratch : Path, optional
        An empty folder that is removed once all is stored.
    workers : int
        Processes that may be used.
    verify_checksums : bool
        Compare published files with their checksums. Only for files that are not the published
        ones, such as a test's, is there a reason not to.
    progress : callable
        Told parts done and their total, where a preparation has parts.

    Raises
    ------
    ValueError
        If the data set is unknown or does not accept the parameters.
    """

    name: str
    prepare: Mapping[str, Any] = field(default_factory=dict)
    data_root: Path | None = None
    scratch: Path | None = None
    workers: int = 1
    verify_checksums: bool = True
    progress: Callable[[int, int], None] = lambda done, total: None

    def __post_init__(self) -> None:
        check_parameters(self.name, self.prepare)

    @property
    def entry(self) -> DatasetEntry:
        """What is known of the data set."""
        return find_dataset(self.name)

    @property
    def partial(self) -> bool:
        """Whether a copy that lacks images was asked for."""
        return bool(self.prepare.get("partial"))

    @property
    def originals(self) -> Path:
        """Folder of all original data sets.

        Raises
        ------
        ValueError
            If none was given.
        """
        if self.data_root is None:
            raise ValueError(f"{self.name} needs --data-root, the folder of the original data")
        return self.data_root

    def option(self, key: str) -> Any:
        """Return a parameter; left out, the first value that the entry allows."""
        return self.prepare.get(key, self.entry.parameters[key][0])


@dataclass(frozen=True)
class Content:
    """What a data set's function read.

    Parameters
    ----------
    data : object
        What the form stores; the ``stored`` module of each (`structnets.forms`) says what it takes.
    source : mapping
        Where it came from, plain JSON, for the manifest.
    classes : sequence of str, optional
        Class names, where the entry cannot know them.
    counts : mapping
        What the manifest states of each split besides the form's own counts, plain JSON.
    remarks : sequence of str
        What the person who prepares it should read.
    """

    data: Any
    source: Mapping[str, Any]
    classes: Sequence[str] | None = None
    counts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: Sequence[str] = ()
