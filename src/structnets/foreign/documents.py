"""JSON and YAML of unknown origin: bounded in size, depth and in what aliases expand to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from structnets.foreign.limits import TEXT, Limit
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shortened

VALUES = Limit("STRUCTNETS_LARGEST_DOCUMENT_MILLION", 20, "values", "million", 1_000_000)
_DEEPEST = 100
_REMEDY = "repair it, or write it anew"


def read_text(path: Path) -> str:
    """Read a file of text in UTF-8.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not text, or longer than its limit.
    """
    try:
        return read_whole(path, TEXT).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error}); write it anew") from None


def parse_json(text: str | bytes, name: object) -> Any:
    """Parse a JSON document.

    Raises
    ------
    ValueError
        Naming the document, if it is not JSON (NaN and Infinity are not), or nests too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError(f"{name} is not valid JSON: it nests too deeply; {_REMEDY}") from None
    except ValueError as error:
        raise ValueError(f"{name} is not valid JSON: {shortened(error)}; {_REMEDY}") from None


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"it holds {word}, which JSON has not")


def parse_yaml(text: str, name: object) -> Any:
    """Parse a YAML document.

    Raises
    ------
    ValueError
        Naming the document, if it is not YAML, nests too deeply, or if its aliases would expand
        to more values than the limit, or to itself.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > _DEEPEST:
                raise ValueError(f"it nests more than {_DEEPEST} levels")
        content = yaml.load(text, Loader=loader)
    # A date that is none, say, raises what it likes.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{name} is not valid YAML: {shortened(error)}; {_REMEDY}") from None
    VALUES.check(name, _values(content, {}, name))
    return content


def _values(content: Any, counted: dict[int, int], name: object) -> int:
    """Count the values in a document as if every alias were written out."""
    if not isinstance(content, (Mapping, list)):
        return 1
    if id(content) not in counted:
        counted[id(content)] = -1
        parts = content.values() if isinstance(content, Mapping) else content
        counted[id(content)] = 1 + sum(_values(part, counted, name) for part in parts)
    if counted[id(content)] < 0:
        raise ValueError(f"{name} is not valid YAML: an alias stands for itself; {_REMEDY}")
    return counted[id(content)]
