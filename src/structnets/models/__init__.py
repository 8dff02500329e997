"""Models by name; nothing heavy is imported before a model is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from structnets.models.description import describe_models
from structnets.models.registry import create_model, list_models, register_model

if TYPE_CHECKING:
    from structnets.models.features import forward_features

__all__ = ["create_model", "describe_models", "forward_features", "list_models", "register_model"]


def __getattr__(name: str) -> Any:
    if name == "forward_features":  # needs torch
        from structnets.models.features import forward_features

        return forward_features
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
