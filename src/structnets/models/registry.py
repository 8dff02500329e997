"""Names of the models, where they live, and their parameter counts beside the thesis'."""

from __future__ import annotations

import ast
import fnmatch
import functools
import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.models.entries import ENTRIES

if TYPE_CHECKING:
    from torch import nn


MODEL_NAMES: tuple[str, ...] = tuple(ENTRIES)


def list_models(pattern: str = "*") -> list[str]:
    """List the names that match a shell-style `pattern`."""
    return sorted(fnmatch.filter(ENTRIES, pattern))


def create_model(name: str, **options: Any) -> nn.Module:
    """Build a model by name.

    Parameters
    ----------
    name : str
        One of `list_models`.
    **options
        Arguments of its constructor, ``num_classes`` for one.

    Returns
    -------
    torch.nn.Module
        The model, initialised from torch's global random state.

    Raises
    ------
    ValueError
        If the name or an option is unknown; the allowed ones are listed.
    """
    place, preset = constructor_of(name)
    check_options(name, options)
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)(**{**preset, **options})


def check_options(name: str, options: Iterable[str]) -> None:
    """Refuse options that a model's constructor does not take, without importing torch.

    Raises
    ------
    ValueError
        Naming the first unknown option and the allowed ones.
    """
    allowed = accepted_options(name)
    for option in options:
        if option not in allowed:
            raise ValueError(
                f"unknown option {option!r} of model {name!r}; allowed: {', '.join(allowed)}"
            )


@functools.cache
def _option_names(constructor: str) -> tuple[str, ...]:
    """Read a constructor's argument names from its source."""
    module, _, attribute = constructor.partition(":")
    source = Path(__file__).with_name(f"{module.rsplit('.', 1)[-1]}.py").read_text()
    node = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == attribute
    )
    if isinstance(node, ast.ClassDef):
        node = next(
            part
            for part in node.body
            if isinstance(part, ast.FunctionDef) and part.name == "__init__"
        )
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    return tuple(argument for argument in names if argument != "self")


def accepted_options(name: str) -> tuple[str, ...]:
    """Return the arguments that a model's constructor takes, without importing torch."""
    return _option_names(ENTRIES[name].constructor)


def data_options(name: str, classes: int, image_shape: Sequence[int]) -> dict[str, int]:
    """Return the options that a data set decides, of those a model's constructor takes.

    Parameters
    ----------
    name : str
        The model.
    classes : int
        Number of classes.
    image_shape : sequence of int
        (C, H, W), or (C, D, H, W).
    """
    decided = {
        "num_classes": classes,
        "image_size": image_shape[-1],
        "in_channels": image_shape[0],
    }
    return {key: value for key, value in decided.items() if key in accepted_options(name)}


def create_for_spec(
    spec: Mapping[str, Any], classes: int, stored_shape: Sequence[int]
) -> nn.Module:
    """Build the model of a spec; what its options say goes before what its data decide.

    Parameters
    ----------
    spec : mapping
        Resolved spec; if its recipe crops, the model sees crops.
    classes : int
        Number of classes.
    stored_shape : sequence of int
        (C, H, W), or (C, D, H, W), of the images as they are stored.
    """
    crop = spec["recipe"].get("crop")
    shape = stored_shape if crop is None else (stored_shape[0], crop["size"], crop["size"])
    name, options = spec["model"]["name"], spec["model"]["options"]
    return create_model(name, **{**data_options(name, classes, shape), **options})


def constructor_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return what builds a model, as ``module:object``, and the options its name stands for.

    Parameters
    ----------
    name : str
        One of `list_models`, or itself a ``module:object``.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if ":" in name:
        return name, {}
    if name not in ENTRIES:
        raise ValueError(f"unknown model {name!r}; allowed: {', '.join(list_models())}")
    return ENTRIES[name].constructor, dict(ENTRIES[name].options)


def describe_models() -> list[dict[str, Any]]:
    """Build every model and list its computed counts beside the thesis' printed ones.

    Returns
    -------
    list of dict
        ``name, chapter, params, collapsed_params, thesis_params, note``; params are trained
        weights without batch-norm statistics.
    """
    import torch

    from structnets.models.counting import collapsed_parameters, trained_parameters

    rows = []
    for name, entry in ENTRIES.items():
        with torch.device("meta"):  # counts need no weights
            model = create_model(name)
        rows.append(
            {
                "name": name,
                "chapter": entry.chapter,
                "params": trained_parameters(model),
                "collapsed_params": collapsed_parameters(model),
                "thesis_params": entry.thesis_params,
                "note": entry.note,
            }
        )
    return rows
