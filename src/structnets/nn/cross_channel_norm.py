"""Cross-channel response normalisation (Krizhevsky et al. 2012), without the division by size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _Normalize(torch.autograd.Function):
    """``y = x s^-beta`` with ``s = k + alpha x^2 W`` on pixels (M, C), its backward fused."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Tensor, k: float, alpha: float, beta: float) -> Tensor:
        s = (x.square() @ window).mul_(alpha).add_(k)
        scale = s.pow(-beta)
        ctx.save_for_backward(x, s, scale, window)
        ctx.factor = 2 * alpha * beta
        return x * scale

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s, scale, window = ctx.saved_tensors
        direct = grad * scale
        through_s = (direct * x / s) @ window
        return direct - ctx.factor * x * through_s, None, None, None, None


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
        """Normalise maps of shape (B, C, H, W); the result is channels last in memory."""
        pixels = x.permute(0, 2, 3, 1)
        # Sums of squares overflow half precision, so autocast stays out.
        with torch.autocast(x.device.type, enabled=False):
            rows = pixels.reshape(-1, x.shape[1]).to(self.window.dtype)
            flat = _Normalize.apply(rows, self.window, self.k, self.alpha, self.beta)
        return flat.to(x.dtype).view(pixels.shape).permute(0, 3, 1, 2)
