"""What reports of one's own data call pictures and people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Naming:
    """What the page calls pictures: their files' names, or pseudonyms."""

    shown: Mapping[str, str]

    @classmethod
    def of(cls, names: Iterable[str], pseudonyms: bool) -> Naming:
        """Return pseudonyms, numbers in the order of the names, or the names themselves."""
        return cls(_shown("picture", names, pseudonyms))

    def __call__(self, name: str) -> str:
        """Return what a picture is called."""
        return self.shown.get(name, name)


class People:
    """What the page calls people: ``person-01`` and so on, or as their files do."""

    def __init__(self, subjects: Iterable[str], *, pseudonyms: bool) -> None:
        self.names = _shown("person", subjects, pseudonyms)
        self.pseudonyms = pseudonyms
        known = "|".join(map(_pattern, sorted(self.names, key=len, reverse=True)))
        self._known = re.compile(rf"(?<![A-Za-z0-9])({known})(?![A-Za-z0-9])") if known else None

    def __call__(self, text: str) -> str:
        """Return a text with the names it holds replaced, and paths cut to their last part."""
        if not self.pseudonyms:
            return text
        short = re.sub(r"(/[^\s/]+)+/", "", text)
        return self._known.sub(lambda m: self.names[m[1]], short) if self._known else short

    def left_out(self, what: str) -> str:
        """Name what was left out: of somebody unknown, no more than that there was one."""
        if not self.pseudonyms:
            return what
        found = self._known.search(what) if self._known else None
        return self.names[found[1]] if found else "somebody"


def _pattern(name: str) -> str:
    """Return what finds a name; one that is a number not in measured values, as 0.42 or 5 %."""
    found = re.escape(name)
    if not name.isdecimal():
        return found
    return rf"(?<!\d[.,]){found}(?![.,]\d+(?![\w.]))(?!\s?%)(?!\smm\b)"


def _shown(word: str, names: Iterable[str], pseudonyms: bool) -> dict[str, str]:
    """Return for each name a word with a number, in the order of the names, or the name itself."""
    ordered = sorted(set(names))
    digits = len(str(len(ordered)))
    return {
        name: f"{word}-{number:0{digits}d}" if pseudonyms else name
        for number, name in enumerate(ordered, 1)
    }
