"""Cross-channel response normalisation (Krizhevsky et al. 2012), without the division by size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Normalize(torch.autograd.Function):
    """``y = x s^-beta`` with ``s = k + alpha W x^2``; keeps only x and s for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Tensor, k: float, alpha: float, beta: float) -> Tensor:
        flat = x.flatten(2)
        s = torch.matmul(window, flat.square()).mul_(alpha).add_(k)
        ctx.save_for_backward(x, s, window)
        ctx.alpha, ctx.beta = alpha, beta
        return (flat * s.pow(-beta)).view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s, window = ctx.saved_tensors
        flat, g = x.flatten(2), grad.flatten(2)
        scale = s.pow(-ctx.beta)
        inner = torch.matmul(window.T, g * flat * scale / s)
        dx = g * scale - (2 * ctx.alpha * ctx.beta) * flat * inner
        return dx.view_as(x), None, None, None, None


class CrossChannelNorm(nn.Module):
    """Divide each activation by the energy of its neighbouring channels.

    ``y_c = x_c / (k + alpha sum_{|c' - c| <= size // 2} x_c'^2)^beta``; unlike
    ``nn.LocalResponseNorm``, alpha is not divided by `size`.

    Parameters
    ----------
    channels : int
        Channels of the input.
    size : int
        Odd number of channels summed.
    k, alpha, beta : float
        Constants; the defaults are those of the released MNIST code.
    """

    window: Tensor

    def __init__(
        self, channels: int, size: int = 9, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75
    ) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size must be odd and positive, got {size}")
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta
        index = torch.arange(channels)
        near = (index[:, None] - index[None, :]).abs() <= size // 2
        self.register_buffer("window", near.to(torch.get_default_dtype()), False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps of shape (B, C, H, W)."""
        return _Normalize.apply(x, self.window, self.k, self.alpha, self.beta)
