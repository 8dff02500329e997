"""Cross-channel response normalisation (Krizhevsky et al. 2012), without the division by size."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.nn._constants import ConstantBuffers
from structnets.nn._derivatives import needs_reference, reference_gradients
from structnets.nn._modes import LOW, needs_plain_operations, without_autocast
from structnets.nn._scripting import scripted_form


class _Normalize(torch.autograd.Function):
    """``y = x s^-beta`` with ``s = k + alpha x^2 W`` on pixels (M, C), its backward fused."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Tensor, k: float, alpha: float, beta: float) -> Tensor:
        s = (x.square() @ window).mul_(alpha).add_(k)
        scale = s.pow(-beta)
        ctx.save_for_backward(x, s, scale, window)
        ctx.factor = 2 * alpha * beta
        ctx.constants = {"k": k, "alpha": alpha, "beta": beta}
        return x * scale

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, s, scale, window = ctx.saved_tensors
        if needs_reference(grad):
            reference = functools.partial(_reference, window=window, **ctx.constants)
            return *reference_gradients(reference, [x], [True], grad), None, None, None, None
        direct = grad * scale
        through_s = (direct * x / s) @ window
        return direct - ctx.factor * x * through_s, None, None, None, None


def _reference(x: Tensor, window: Tensor, k: float, alpha: float, beta: float) -> Tensor:
    return x * (k + alpha * (x.square() @ window)).pow(-beta)


class CrossChannelNorm(ConstantBuffers):
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
        self.channels, self.size = channels, size
        self.k, self.alpha, self.beta = k, alpha, beta
        self.register_constants()

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return which channels are neighbours, ones and zeros."""
        index = np.arange(self.channels)
        return {"window": (np.abs(index[:, None] - index) <= self.size // 2).astype(np.float64)}

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps of shape (B, C, H, W); the result is channels last in memory."""
        pixels = x.permute(0, 2, 3, 1)
        # Sums of squares overflow half precision, so autocast stays out.
        with without_autocast(x.device.type):
            dtype = self.window.dtype if isinstance(x, torch.fx.Proxy) else x.dtype
            exact = torch.float32 if dtype in LOW else dtype
            rows = pixels.reshape(-1, x.shape[1]).to(exact)
            window = self.constant("window", rows)
            evaluate = _reference if needs_plain_operations(x) else _Normalize.apply
            flat = evaluate(rows, window, self.k, self.alpha, self.beta)
        return flat.to(x.dtype).view(pixels.shape).permute(0, 3, 1, 2)
