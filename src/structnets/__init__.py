"""Structured convolutional networks: layers, models, data formats and training.

Importing the package imports nothing heavy; names are resolved on first use:

>>> import structnets
>>> structnets.list_models("rfnn_mnist*")
['rfnn_mnist', 'rfnn_mnist_order3']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structnets import nn
    from structnets.models.registry import create_model, list_models, register_model
    from structnets.prediction import load

__version__ = "0.1.0"

__all__ = ["__version__", "create_model", "list_models", "load", "nn", "register_model"]


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module("structnets.nn")
    if name in ("create_model", "list_models", "register_model"):
        return getattr(importlib.import_module("structnets.models.registry"), name)
    if name == "load":
        return importlib.import_module("structnets.prediction").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
