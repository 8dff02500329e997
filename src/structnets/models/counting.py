"""Parameter counts, as trained and as collapsed to plain convolutions."""

from __future__ import annotations

from torch import nn

from structnets.nn.gaussian_conv import GaussianConv2d


def trained_parameters(model: nn.Module) -> int:
    """Count the trained weights (batch-norm statistics are buffers and do not count)."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def collapsed_parameters(model: nn.Module) -> int:
    """Count the weights after every structured convolution is collapsed to a plain one."""
    total = trained_parameters(model)
    for layer in model.modules():
        if isinstance(layer, GaussianConv2d):
            total += layer.alpha[..., 0].numel() * layer.kernel_size**2 - layer.alpha.numel()
    return total
