"""Models of the thesis by name; nothing heavy is imported before a model is built."""

from structnets.models.registry import create_model, describe_models, list_models

__all__ = ["create_model", "describe_models", "list_models"]
