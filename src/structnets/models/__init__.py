"""Models by name; nothing heavy is imported before a model is built."""

from structnets.models.description import describe_models
from structnets.models.registry import create_model, list_models, register_model

__all__ = ["create_model", "describe_models", "list_models", "register_model"]
