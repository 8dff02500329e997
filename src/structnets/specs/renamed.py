"""Names that were replaced by ``targets``: they are refused, and the new one is said."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NoReturn

_KEYS = ("tables", "analyses")
_WHY = "tables, analyses, drawings and sweeps lie in one folder now"


def refuse_old_keys(content: Mapping[str, Any]) -> None:
    """Refuse keys of the configuration that are no more.

    Raises
    ------
    ValueError
        Naming the key that took their place.
    """
    for key in _KEYS:
        if key in content:
            raise ValueError(f"{key}={content[key]}: {_WHY}; name it by targets=DIR")


class RefusedOption(argparse.Action):
    """An option of a command that is no more: it names ``--targets``."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        """Say it and leave."""
        parser.error(f"{self.option_strings[0]}: {_WHY}; name it by --targets DIR")
