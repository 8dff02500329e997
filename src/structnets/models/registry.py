"""Names of the models, where they live, and their parameter counts beside the thesis'."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Entry:
    """One model: its constructor as ``module:name`` and what the thesis prints of it."""

    constructor: str
    chapter: int
    thesis_params: str | None = None
    note: str = ""
    options: tuple[tuple[str, Any], ...] = ()


_MNIST = "structnets.models.mnist"
ENTRIES: dict[str, Entry] = {
    "rfnn_mnist": Entry(
        f"{_MNIST}:rfnn", 3, note="Figure 6; orders 3/2/2 and scales 1.5/1/1 of the released code"
    ),
    "rfnn_mnist_order3": Entry(
        f"{_MNIST}:rfnn",
        3,
        note="Figure 6; third order throughout, as the thesis says",
        options=(("orders", (3, 3, 3)),),
    ),
    "cnn_b": Entry(f"{_MNIST}:cnn_b", 3, note="Figure 6; kernels 11/7/7, the RFNN's support"),
    "cnn_b_5x5": Entry(
        f"{_MNIST}:cnn_b",
        3,
        note="Figure 6; kernels 5/5/5 as in stochastic pooling's MNIST net",
        options=(("kernel_sizes", (5, 5, 5)),),
    ),
    "scattering": Entry(
        "structnets.models.scattering:ScatteringFeatures",
        3,
        note="Figure 6; fixed features, the classifier is fitted on them",
    ),
}
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
    if name not in ENTRIES:
        raise ValueError(f"unknown model {name!r}; allowed: {', '.join(list_models())}")
    constructor = _constructor(name)
    allowed = inspect.signature(constructor).parameters
    for option in options:
        if option not in allowed:
            raise ValueError(
                f"unknown option {option!r} of model {name!r}; allowed: {', '.join(allowed)}"
            )
    return constructor(**{**dict(ENTRIES[name].options), **options})


def module_of(name: str) -> str:
    """Return the module that defines a model (for code digests)."""
    return ENTRIES[name].constructor.partition(":")[0]


def describe_models() -> list[dict[str, Any]]:
    """Build every model and list its computed counts beside the thesis' printed ones.

    Returns
    -------
    list of dict
        ``name, chapter, params, collapsed_params, thesis_params, note``; params are trained
        weights without batch-norm statistics.
    """
    from structnets.models.counting import collapsed_parameters, trained_parameters

    rows = []
    for name, entry in ENTRIES.items():
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


def _constructor(name: str) -> Callable[..., nn.Module]:
    module, _, attribute = ENTRIES[name].constructor.partition(":")
    return getattr(importlib.import_module(module), attribute)
