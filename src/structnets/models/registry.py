"""Models by name: which there are, what they are made with, and how one gets one's own in."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

from structnets.entries import is_path, load_path
from structnets.models.entries import ModelEntry
from structnets.models.entries.arguments import (
    MODELS,
    accepted_options,
    check_options,
    takes_classes,
)
from structnets.specs.resolved import ResolvedSpec

if TYPE_CHECKING:
    from torch import nn


def list_models(pattern: str = "*") -> list[str]:
    """List the names that match a shell-style `pattern`."""
    return sorted(fnmatch.filter(MODELS.names(), pattern))


def register_model(
    name: str,
    constructor: str | Callable[..., nn.Module],
    *,
    note: str = "",
    input_shape: tuple[int, ...] = (3, 32, 32),
    options: Mapping[str, Any] | None = None,
) -> None:
    """Give a model of one's own a name, in this process.

    Jobs of the pipeline are other processes: there, a model is known by the entry point
    ``structnets.models`` of an installed package, or a spec names it as ``package.module:object``.

    Parameters
    ----------
    name : str
        Letters a-z, digits and underscores.
    constructor : callable or str
        A class or function at the top of a module, or where it is, as ``package.module:object``.
        It takes ``num_classes``, and ``in_channels`` and ``image_size`` if it can be made for
        other images than those of `input_shape`.
    note : str
        One line, shown in lists.
    input_shape : tuple of int
        (C, H, W), or (C, D, H, W), of the images it is made for.
    options : mapping, optional
        Arguments of the constructor that the name stands for.

    Raises
    ------
    ValueError
        If the name is taken or not allowed, or the constructor is not at the top of a module.

    Examples
    --------
    >>> import torch
    >>> register_model("nin_of_twenty", "structnets.models.nin:nin_cifar",
    ...                options={"num_classes": 20})
    >>> create_model("nin_of_twenty")(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 20])
    """
    path = constructor if isinstance(constructor, str) else _path_of(constructor)
    MODELS.register(
        name,
        ModelEntry(path, note, input_shape=input_shape, options=tuple((options or {}).items())),
    )


def _path_of(constructor: Callable[..., Any]) -> str:
    """Return where a class or function lies, which must be where others find it."""
    names = [getattr(constructor, part, "") for part in ("__module__", "__qualname__")]
    path = ":".join(names)
    if not is_path(path) or load_path(path) is not constructor:
        raise ValueError(
            f"{constructor!r} is not a class or function at the top of a module, where others can "
            "find it"
        )
    return path


def create_model(name: str, **options: Any) -> nn.Module:
    """Build a model by name.

    Parameters
    ----------
    name : str
        One of `list_models`, or ``package.module:object``, whose code is then run.
    **options
        Arguments of its constructor. Every model of this library takes ``in_channels`` and
        ``num_classes``, which of boundary detectors are maps of logits. 0 classes leave out the
        layer of classes, so that the model gives features.

    Returns
    -------
    torch.nn.Module
        The model, initialised from torch's global random state.

    Raises
    ------
    ValueError
        If the name or an option is unknown (the allowed ones are listed), ``num_classes`` or
        ``in_channels`` is no number of any, no layer of classes can be left out, or what the name
        stands for makes no module.
    """
    entry = MODELS.find(name, paths=True)
    check_options(name, options)
    for option, least in (("num_classes", 0), ("in_channels", 1)):
        value = options.get(option)
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (whole and int(value) >= least):
            raise ValueError(f"{option} must be a whole number >= {least}, got {value!r}")
    features = options.get("num_classes") == 0
    if features:
        options = {key: value for key, value in options.items() if key != "num_classes"}
    model = MODELS.load(entry)(**{**dict(entry.options), **options})
    if not callable(getattr(model, "parameters", None)):
        raise ValueError(f"{entry.constructor} made {type(model).__name__}, not a torch module")
    if features:
        from structnets.models.features import without_classes

        return without_classes(model)
    return model


def data_options(name: str, classes: int, image_shape: Sequence[int]) -> dict[str, int]:
    """Return the options that a data set decides, of those a model's constructor takes.

    ``num_classes`` is passed to every constructor that names it or takes any option,
    ``image_size`` and ``in_channels`` to those that name them.

    Parameters
    ----------
    name : str
        The model.
    classes : int
        Number of classes.
    image_shape : sequence of int
        (C, H, W), or (C, D, H, W).
    """
    decided = {"image_size": image_shape[-1], "in_channels": image_shape[0]}
    known = {key: value for key, value in decided.items() if key in accepted_options(name)}
    return {"num_classes": classes, **known} if takes_classes(name) else known


def create_for_spec(spec: ResolvedSpec, classes: int, stored_shape: Sequence[int]) -> nn.Module:
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

    Nothing is imported for a path, since a digest is asked for of lines that anybody wrote.

    Parameters
    ----------
    name : str
        One of `list_models`, or itself a ``module:object``.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if is_path(name):
        return name, {}
    entry = MODELS.find(name)
    return entry.constructor, dict(entry.options)
