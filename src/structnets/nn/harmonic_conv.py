"""Harmonic convolutions (Worrall et al. 2017): features that turn with the image.

A feature of rotation order m is a complex map that is multiplied by exp(i m theta) where the image
is turned by theta; its magnitude does not change. Convolution with a filter of order m raises the
order by m; the conjugate filter lowers it.

Maps are real tensors (B, M, 2, C, H, W): rotation orders 0 .. M - 1, real and imaginary part,
channels. Images enter as (B, 1, 1, C, H, W): order 0, real.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.harmonic import harmonic_rings
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._constants import ConstantBuffers
from structnets.nn._modes import without_autocast
from structnets.nn._scripting import scripted_form

EPSILON = 1e-4  # inside the square root: a magnitude has no gradient at zero


class HarmonicConv2d(ConstantBuffers):
    """Convolution from and to features of rotation orders 0 .. M - 1, at the same resolution.

    From input order i to output order o the filter has order o - i, those of negative order being
    the conjugates of the others. (The released code conjugates the input instead, which for two
    orders comes to the same features, one of them conjugated.)

    Parameters
    ----------
    in_channels, out_channels : int
        Channels per rotation order.
    kernel_size : int
        Odd width.
    rings : int
        Samples of the radial profiles.
    orders : int
        M, rotation orders of the output and, unless `real_input`, of the input.
    real_input : bool
        The input is an image: order 0 and real.

    Attributes
    ----------
    profiles : Parameter, shape (M, rings, out_channels, in_channels)
        Radial profiles of the filters of order 0 .. M - 1.
    phases : Parameter, shape (M, out_channels, in_channels)
        Their phases at angle 0, in radians.

    Limits
    ------
    Turning by 90 degrees is exact, by other angles as good as the pixel grid allows.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import HarmonicConv2d
    >>> layer = HarmonicConv2d(3, 4, real_input=True)
    >>> layer(torch.zeros(2, 1, 1, 3, 16, 16)).shape
    torch.Size([2, 2, 2, 4, 16, 16])
    """

    rings: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 5,
        rings: int = 4,
        orders: int = 2,
        real_input: bool = False,
    ) -> None:
        super().__init__()
        if orders < 1:
            raise ValueError(f"orders must be >= 1, got {orders}")
        filters = [harmonic_rings(m, kernel_size, rings) for m in range(orders)]
        self._rings = np.stack([[f.real, f.imag] for f in filters])  # (M, 2, rings, K, K)
        self.register_constants()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.orders, self.kernel_size = orders, kernel_size
        self.in_orders, self.in_parts = (1, 1) if real_input else (orders, 2)
        self.profiles = nn.Parameter(torch.empty(orders, rings, out_channels, in_channels))
        self.phases = nn.Parameter(torch.empty(orders, out_channels, in_channels))
        self.reset_parameters()

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the filters of every order, ring by ring, real and imaginary part."""
        return {"rings": self._rings}

    def reset_parameters(self) -> None:
        """Draw profiles of He et al.'s variance over inputs and orders, and any phase."""
        self.restore_constants()
        rings = self.profiles.shape[1]
        variance = 2 / (self.in_channels * rings * self.orders)
        nn.init.normal_(self.profiles, std=math.sqrt(variance))
        nn.init.uniform_(self.phases, 0, 2 * math.pi)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps (B, M, 2, in_channels, H, W), or (B, 1, 1, in_channels, H, W) if real.

        Returns
        -------
        Tensor, shape (B, M, 2, out_channels, H, W)
            Features of orders 0 .. M - 1.
        """
        wanted = (self.in_orders, self.in_parts, self.in_channels)
        symbolic = isinstance(x, torch.fx.Proxy)
        if not symbolic and (x.ndim != 6 or tuple(x.shape[1:4]) != wanted):
            raise ValueError(
                f"input must have shape (B, {', '.join(map(str, wanted))}, H, W), "
                f"got {tuple(x.shape)}"
            )
        check_tensors(self, x, self.profiles, self.phases)
        maps = functional.conv2d(x.flatten(1, 3), self.kernel(), padding=self.kernel_size // 2)
        return maps.unflatten(1, (self.orders, 2, self.out_channels))

    def kernel(self) -> Tensor:
        """Return all filters as those of one real convolution of flattened maps.

        Returns
        -------
        Tensor, shape (M * 2 * out_channels, in_orders * in_parts * in_channels, K, K)
            Sorted as the flattened maps.
        """
        with without_autocast(self.profiles.device.type):
            return self._kernel()

    def _kernel(self) -> Tensor:
        rings = self.constant("rings", self.profiles)
        profiled = torch.einsum("mprkl,mroi->mpoikl", rings, self.profiles)
        cosine, sine = (f(self.phases)[..., None, None] for f in (torch.cos, torch.sin))
        real, imaginary = profiled[:, 0], profiled[:, 1]
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        rows = []
        for output in range(self.orders):
            to_real, to_imaginary = [], []
            for source in range(self.in_orders):
                order = abs(output - source)
                sign = 1 if output >= source else -1  # -1: the conjugate filter
                to_real += [real[order], -sign * imaginary[order]][: self.in_parts]
                to_imaginary += [sign * imaginary[order], real[order]][: self.in_parts]
            rows += [torch.cat(to_real, 1), torch.cat(to_imaginary, 1)]
        return torch.cat(rows, 0)

    def collapse(self) -> nn.Sequential:
        """Return an equivalent plain convolution, between a flattening and its inverse."""
        weight = self.kernel().detach()
        size = self.kernel_size
        plain = nn.Conv2d(weight.shape[1], weight.shape[0], size, padding=size // 2, bias=False)
        plain = plain.to(weight)
        with torch.no_grad():
            plain.weight.copy_(weight)
        shape = (self.orders, 2, self.out_channels)
        collapsed = nn.Sequential(nn.Flatten(1, 3), plain, nn.Unflatten(1, shape))
        return collapsed.train(self.training)

    def __prepare_scriptable__(self) -> nn.Module:
        """Give ``torch.jit.script`` the plain form; in training mode refuse."""
        return scripted_form(self, self.collapse)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        inputs = self.in_orders * self.in_parts * self.in_channels
        return self.orders * 2 * self.out_channels * inputs * self.kernel_size**2


def magnitudes(x: Tensor) -> Tensor:
    """Return the rotation-invariant magnitudes (B, M, C, H, W) of maps (B, M, 2, C, H, W)."""
    return _wide_magnitudes(x).to(x.dtype)


def _wide_magnitudes(x: Tensor) -> Tensor:
    # The square of 256 is no number of half precision.
    wide = x.float() if x.dtype == torch.float16 else x
    return torch.sqrt(wide.square().sum(2) + EPSILON)


def _rescaled(x: Tensor, wanted: Tensor, size: Tensor) -> Tensor:
    """Give maps the magnitudes that are wanted in place of theirs."""
    return (x * (wanted / size)[:, :, None]).to(x.dtype)


class MagnitudeReLU(nn.Module):
    """ReLU of magnitudes with a learned bias, one per order and channel; phases are kept."""

    def __init__(self, channels: int, orders: int = 2) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(orders, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Scale maps (B, M, 2, C, H, W)."""
        size = _wide_magnitudes(x)
        return _rescaled(x, functional.relu(size + self.bias[:, :, None, None]), size)


class MagnitudeNorm(nn.Module):
    """Batch norm and ReLU of magnitudes; phases are kept.

    The default `momentum` of the running statistics is the released code's, for long trainings.
    """

    def __init__(self, channels: int, orders: int = 2, momentum: float = 0.01) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(orders * channels, eps=1e-3, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        """Scale maps (B, M, 2, C, H, W)."""
        size = _wide_magnitudes(x)
        normed = self.norm(size.to(x.dtype).flatten(1, 2)).view_as(size)
        return _rescaled(x, functional.relu(normed), size)
