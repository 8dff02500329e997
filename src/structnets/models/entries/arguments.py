"""Models by name, and the options that each takes, known without importing torch."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterable
from pathlib import Path

from structnets.entries import Registry, did_you_mean, load_path
from structnets.models.entries import ENTRIES, ModelEntry

_ROOM = "structnets.models"
MODELS = Registry("model", ENTRIES, "structnets.models", ModelEntry)
"""Models of this library, of installed packages, and those that `register_model` added."""


def check_options(name: str, options: Iterable[str]) -> None:
    """Refuse options that a model's constructor does not take.

    Nothing is imported for the models of this library.

    Raises
    ------
    ValueError
        Naming the first unknown option and the allowed ones.
    """
    allowed, others = _arguments(MODELS.find(name, paths=True).constructor)
    for option in options:
        if option not in allowed and not others:
            meant = did_you_mean(option, allowed, most=2)
            raise ValueError(
                f"unknown option {option!r} of model {name!r}{meant}; allowed: {', '.join(allowed)}"
            )


@functools.cache
def _arguments(constructor: str) -> tuple[tuple[str, ...], bool]:
    """Return the names of a constructor's arguments, and whether it takes others as well."""
    module, _, attribute = constructor.partition(":")
    if module.startswith(f"{_ROOM}."):
        file = Path(__file__).parents[1] / f"{module.rsplit('.', 1)[-1]}.py"
        return _read_arguments(file, attribute)
    try:
        parameters = inspect.signature(load_path(constructor)).parameters.values()
    except TypeError:
        raise ValueError(f"{constructor} is nothing that can be called to make a model") from None
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return tuple(named), any(p.kind is p.VAR_KEYWORD for p in parameters)


def _read_arguments(file: Path, attribute: str) -> tuple[tuple[str, ...], bool]:
    """Read a constructor's arguments from its source, which needs no torch."""
    node = next(
        node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == attribute
    )
    if isinstance(node, ast.ClassDef):
        node = next(
            part
            for part in node.body
            if isinstance(part, ast.FunctionDef) and part.name == "__init__"
        )
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    return tuple(name for name in names if name != "self"), node.args.kwarg is not None


def accepted_options(name: str) -> tuple[str, ...]:
    """Return the arguments that a model's constructor names."""
    return _arguments(MODELS.find(name, paths=True).constructor)[0]


def takes_classes(name: str) -> bool:
    """Say whether a model can be made for the classes of any data set."""
    entry = MODELS.find(name, paths=True)
    named, others = _arguments(entry.constructor)
    # Also where a path names a constructor that is known.
    of_maps = {known.constructor for known in (entry, *ENTRIES.values()) if known.maps}
    return entry.constructor not in of_maps and ("num_classes" in named or others)
