"""What one adds to a room: an entry, and the three ways in (standard library only).

An *entry* says where an object is made (``package.module:object``), a one-line note, and, in the
subclass of each room, what a plan must know before anything is imported. A `Registry` finds
entries by name: those of this library, those that `Registry.register` added in this process, those
that an installed package announces as entry points, and, for callers that allow it, the object
that a path names.

Finding and loading an entry that is not of this library imports somebody's package, and so runs
its code. Whoever reads a file that somebody else wrote calls `refuse_foreign` first.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from structnets.foreign.shown import shown

_LONGEST = 100  # letters of a name that is compared with others
_NAME = re.compile(r"[a-z0-9_]+")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """What is known of an object before it is imported.

    Attributes
    ----------
    constructor : str
        Where it is made, as ``package.module:object``.
    note : str
        One line for those who list the entries.
    """

    constructor: str
    note: str = ""


E = TypeVar("E", bound=Entry)


def is_path(text: str) -> bool:
    """Say whether `text` is written as ``package.module:object``."""
    return _PATH.fullmatch(text) is not None


def load_path(path: str) -> Any:
    """Import the object that ``package.module:object`` names.

    Raises
    ------
    ValueError
        If `path` is not written so, there is no such module, or it lacks the object.
    ModuleNotFoundError
        If the module itself needs one that is not installed.
    """
    if not is_path(path):
        raise ValueError(f"{path!r} is not written as package.module:object")
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ValueError(
            f"{path}: there is no module {error.name!r} on Python's path; install its package, or "
            "put the folder that holds it into PYTHONPATH"
        ) from None
    except AttributeError:
        raise ValueError(f"module {module} has no {attribute!r}") from None


class Registry(Generic[E]):
    """Entries of one kind, by name.

    Parameters
    ----------
    kind : str
        What one of them is called in messages: ``model``.
    builtin : mapping of str to Entry
        The entries of this library. No other can take their names.
    group : str
        Entry points of installed packages: ``structnets.models``. Such an entry point, and a path,
        names an entry, or the object itself.
    wrap : callable, optional
        Makes the entry of an object from its path alone. Left out where a plan has to know more.

    Examples
    --------
    >>> shapes = Registry("shape", {"disc": Entry("math:pi")}, "structnets.shapes")
    >>> shapes.load(shapes.find("disc"))
    3.141592653589793
    >>> shapes.find("disk")
    Traceback (most recent call last):
    ...
    ValueError: unknown shape 'disk' (did you mean disc?); allowed: disc
    """

    def __init__(
        self,
        kind: str,
        builtin: Mapping[str, E],
        group: str,
        wrap: Callable[[str], E] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self._builtin = builtin
        self._registered: dict[str, E] = {}
        self._wrap = wrap
        self._of_paths: dict[str, E] = {}

    def names(self) -> list[str]:
        """List the names that `find` knows: the library's in their order, then all others'."""
        return list(dict.fromkeys((*self._builtin, *self._registered, *self._installed)))

    def find(self, name: str, paths: bool = False) -> E:
        """Return the entry called `name`.

        Parameters
        ----------
        name : str
            A name, or a path where `paths` says so.
        paths : bool
            Whether ``package.module:object`` is taken, which imports that module.

        Raises
        ------
        ValueError
            If there is no such entry; the nearest names are suggested.
        """
        for known in (self._builtin, self._registered):
            if name in known:
                return known[name]
        if name in self._installed:
            return self._entry_at(self._announced(name))
        if is_path(name):
            if paths:
                return self._entry_at(name)
            raise ValueError(f"{name!r} is a path; here a {self.kind} is given by its name")
        raise ValueError(self._unknown(name, paths))

    def register(self, name: str, entry: E) -> None:
        """Add an entry to this process; others, jobs of the pipeline for one, do not see it.

        Raises
        ------
        ValueError
            If the name is taken by another entry, or cannot stand in a run id.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"a {self.kind} cannot be called {name!r}: names consist of a-z, 0-9 and _"
            )
        taken = {**self._registered, **self._builtin}.get(name)
        if (taken is not None and taken != entry) or (taken is None and name in self._installed):
            raise ValueError(f"there is a {self.kind} called {name!r}; choose another name")
        self._registered[name] = entry

    def load(self, entry: E) -> Any:
        """Import the object of an entry."""
        return load_path(entry.constructor)

    @cached_property
    def _installed(self) -> dict[str, list[EntryPoint]]:
        """Entry points by name; one that has the name of an entry here is passed over, and said."""
        found: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self.group):
            if point.name in self._builtin or not _NAME.fullmatch(point.name):
                reason = "is a name of structnets" if point.name in self._builtin else "is no name"
                warnings.warn(
                    f"{self.group} of {_owner(point)}: {point.name!r} {reason}; passed over",
                    stacklevel=2,
                )
            elif point not in found.setdefault(point.name, []):
                found[point.name].append(point)
        return found

    def _announced(self, name: str) -> str:
        points = self._installed[name]
        if len({point.value for point in points}) > 1:
            owners = " and ".join(sorted(f"{_owner(p)} ({p.value})" for p in points))
            raise ValueError(f"two packages announce a {self.kind} {name!r}: {owners}")
        return f"{points[0].module}:{points[0].attr}"

    def _entry_at(self, path: str) -> E:
        if path not in self._of_paths:
            found = load_path(path)
            if not isinstance(found, Entry):
                if self._wrap is None:
                    raise ValueError(
                        f"{path} must be an entry, which says what a plan has to know of a "
                        f"{self.kind}; it is {found!r}"
                    )
                found = self._wrap(path)
            self._of_paths[path] = found  # type: ignore[assignment]
        return self._of_paths[path]

    def _unknown(self, name: str, paths: bool) -> str:
        names = self.names()
        suggested = did_you_mean(name.lower()[:_LONGEST], names, cutoff=0.7)
        path = ", or package.module:object" if paths else ""
        allowed = ", ".join(sorted(names))
        return f"unknown {self.kind} {shown(name)}{suggested}; allowed: {allowed}{path}"


def did_you_mean(given: str, names: Sequence[str], most: int = 3, cutoff: float = 0.6) -> str:
    """Return `` (did you mean …?)`` with the nearest names, or nothing where none is near."""
    near = difflib.get_close_matches(given, names, n=most, cutoff=cutoff)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _owner(point: EntryPoint) -> str:
    return "some package" if point.dist is None else point.dist.name


def foreign_paths(content: Any) -> list[str]:
    """List what is a ``package.module:object``, anywhere in a JSON document.

    Paths into this library are listed too: not everything in it is meant to be called by a file.
    """
    return [text for text in _strings(content) if is_path(text)]


def _strings(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _strings(value)


def refuse_foreign(content: Any, trusted: Iterable[str], source: object) -> None:
    """Refuse a document of somebody else that would import more than the entries known by name.

    Parameters
    ----------
    content : JSON document
        A spec, say, as it was read.
    trusted : iterable of str
        Paths that may be imported, as they are written in the document.
    source : object
        Where it was read, for the message.

    Raises
    ------
    ValueError
        Naming the first path that is not trusted.
    """
    allowed = set(trusted)
    for path in foreign_paths(content):
        if path not in allowed:
            raise ValueError(
                f"{source} names {path}; using it runs the code of that module. If you know and "
                f"trust it, say --trust {path}"
            )


def add_trust(command: argparse.ArgumentParser) -> None:
    """Add ``--trust NAME`` to a command that reads what somebody else may have written."""
    command.add_argument(
        "--trust",
        metavar="NAME",
        action="append",
        default=[],
        help="package.module:object outside this library whose code may run; may be repeated",
    )
