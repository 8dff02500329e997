"""What a layer refuses to be given, or to hold, as PyTorch's own layers do."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from structnets.nn._modes import autocast_dtype, is_traced


def check_tensors(layer: Any, x: Tensor, *weights: Tensor) -> None:
    """Refuse maps of another precision than the weights', and weights that could not learn.

    Raises
    ------
    RuntimeError
        As ``nn.Conv2d`` raises it.
    """
    if not is_traced(x) and any(map(_cannot_learn, weights)):
        raise RuntimeError(
            f"the weights of this {type(layer).__name__} were made under torch.inference_mode() "
            "and cannot be saved for backward: build or copy.deepcopy() the layer outside of it, "
            "or call it under torch.no_grad()"
        )
    if not is_traced(x) and any(_differ(x, weight) for weight in weights):
        raise RuntimeError(
            f"this {type(layer).__name__} has weights of dtype {weights[0].dtype} and was given "
            f"{x.dtype}: convert one of them, x.to({weights[0].dtype}) for one"
        )


def _cannot_learn(weight: Tensor) -> bool:
    learns = weight.requires_grad and torch.is_grad_enabled()
    return learns and weight.is_inference() and not torch.is_inference_mode_enabled()


def _differ(x: Tensor, weight: Tensor) -> bool:
    if autocast_dtype(x.device.type) is not None:
        return not x.is_floating_point()
    return x.dtype != weight.dtype
