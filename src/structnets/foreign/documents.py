"""JSON and YAML of unknown origin: bounded in size, depth and in what aliases expand to."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from structnets.foreign.limits import TEXT, Limit
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shortened, shown

VALUES = Limit("STRUCTNETS_LARGEST_DOCUMENT_MILLION", 20, "values", "million", 1_000_000)
_DEEPEST = 100
_MERGE = "tag:yaml.org,2002:merge"
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
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError(f"{name} is not valid JSON: it nests too deeply; {_REMEDY}") from None
    except ValueError as error:
        raise ValueError(f"{name} is not valid JSON: {shortened(error)}; {_REMEDY}") from None


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"it holds {word}, which JSON has not")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; which of two values under one key was meant, nobody knows."""
    content = dict(pairs)
    if len(content) < len(pairs):
        _refuse_twice(("", key) for key, _ in pairs)
    return content


def _refuse_twice(keys: Iterable[tuple[str, str]]) -> None:
    seen = set()
    for kind, key in keys:
        if (kind, key) in seen:
            raise ValueError(f"the key {shown(key)} is there twice")
        seen.add((kind, key))


def parse_yaml(text: str, name: object) -> Any:
    """Parse a YAML document.

    Raises
    ------
    ValueError
        Naming the document, if it is not YAML, has a key twice in one mapping, nests too deeply,
        merges or refers to more than the limit, or if its aliases would expand
        to more values than the limit, or to itself.
    """
    import yaml

    loader = _loader()
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


@functools.cache
def _loader() -> Any:
    """Return the safe loader, which refuses keys that are there twice and merges without end."""
    import yaml

    plain: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(plain):
        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self._flat: set[int] = set()
            self._merged = 0

        def flatten_mapping(self, node: Any) -> None:
            if id(node) in self._flat:
                return
            self._flat.add(id(node))
            own = [key for key, _ in node.value if key.tag != _MERGE]
            _refuse_twice((key.tag, key.value) for key in own if isinstance(key.value, str))
            for _, value in (pair for pair in node.value if pair[0].tag == _MERGE):
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in (one for one in parts if isinstance(one, yaml.MappingNode)):
                    self.flatten_mapping(part)
                    self._merged += len(part.value)
                    if self._merged > VALUES.value() // 20:  # each costs much
                        raise ValueError("its merges (<<) write more values than are allowed")
            super().flatten_mapping(node)

        def construct_whole(self, node: Any) -> int:
            _refuse_other_bases(node.value)
            return self.construct_yaml_int(node)

        def construct_decimal(self, node: Any) -> float:
            _refuse_other_bases(node.value)
            return self.construct_yaml_float(node)

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_whole)
    Loader.add_constructor("tag:yaml.org,2002:float", Loader.construct_decimal)
    return Loader


def _refuse_other_bases(number: str) -> None:
    """Refuse what YAML 1.1 reads as a number to base 60 or 8, as 1:30 (90) and 010 (8)."""
    if ":" in number or re.fullmatch(r"[-+]?0[0-9_]+", number):
        raise ValueError(
            f"{number} would not be read as it stands: write a decimal number, as 90 or 1.5, or "
            f"'{number}' in quotes if it is a name"
        )


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
