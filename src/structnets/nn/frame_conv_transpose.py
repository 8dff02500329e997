"""`FrameConvTranspose2d`: transposed convolutions that learn coefficients in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.frames import Frame
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._frame_convolution import Axes, FrameConvolution


class _FrameConvTranspose(FrameConvolution):
    """Transposed frame convolutions of any dimension."""

    geometry = (*FrameConvolution.geometry, "output_padding")
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Axes,
        stride: Axes = 1,
        padding: Axes = 0,
        output_padding: Axes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Axes = 1,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        frame: str | Frame = "gaussian",
    ) -> None:
        build: Any = self.plain_type
        shape = (in_channels, out_channels, kernel_size, stride, padding, output_padding, groups)
        plain = build(*shape, bias, dilation, padding_mode, device="meta")
        super().__init__(plain, device, dtype, frame)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Convolve maps (B, in_channels, *size); returns (B, out_channels, *size').

        Parameters
        ----------
        x : Tensor
            Maps.
        output_size : sequence of int, optional
            Size of the output, with or without its first axes: one of those that the stride
            leaves open.

        Raises
        ------
        ValueError
            If the output cannot have that size.
        """
        check_tensors(self, x, self.coefficients)
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        geometry = (self.stride, self.padding, extra, self.groups, self.dilation)
        return self._convolve(x, self.kernel(), self.bias, *geometry)

    def _extra(self, x: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        dims = len(self.kernel_size)
        wanted, found = tuple(output_size)[-dims:], x.shape[-dims:]
        lines = zip(found, self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * int(p) + d * (k - 1) + 1 for n, s, p, d, k in lines]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        sizes = list(zip(wanted, least, most, strict=False))
        if len(output_size) not in (dims, dims + 1, dims + 2) or any(
            not low <= n <= high for n, low, high in sizes
        ):
            raise ValueError(
                f"output_size must end in sizes from {least} to {most}, got {tuple(output_size)}"
            )
        return tuple(n - low for n, low, _ in sizes)


class FrameConvTranspose1d(_FrameConvTranspose):
    """Drop-in for ``nn.ConvTranspose1d`` that learns in a frame, see `FrameConvTranspose2d`.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias
        As in ``nn.ConvTranspose1d``.
    dilation, padding_mode, device, dtype
        As in ``nn.ConvTranspose1d``.
    frame : str or Frame
        As in `FrameConv1d`.

    Limits
    ------
    As in `FrameConv2d`.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import FrameConvTranspose1d
    >>> FrameConvTranspose1d(2, 4, 4, stride=2, padding=1)(torch.zeros(3, 2, 10)).shape
    torch.Size([3, 4, 20])
    """

    plain_type = nn.ConvTranspose1d
    _convolve = staticmethod(functional.conv_transpose1d)


class FrameConvTranspose2d(_FrameConvTranspose):
    """Drop-in for ``nn.ConvTranspose2d`` whose filters are mixtures of the atoms of a frame.

    What an input pixel adds to the output is a mixture of atoms: ``sum_m coefficients[i, o, m]
    phi_m`` from input i to output o.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias
        As in ``nn.ConvTranspose2d``.
    dilation, padding_mode, device, dtype
        As in ``nn.ConvTranspose2d``.
    frame : str or Frame
        As in `FrameConv2d`.

    Attributes
    ----------
    coefficients : Parameter, shape (in_channels, out_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    ValueError
        As in `FrameConv2d`.

    Limits
    ------
    As in `FrameConv2d`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from structnets.nn import FrameConvTranspose2d
    >>> plain = nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1)
    >>> layer = FrameConvTranspose2d.from_conv(plain, "framelet")
    >>> x = torch.randn(2, 3, 9, 9)
    >>> torch.allclose(layer(x), plain(x), atol=1e-5)
    True
    """

    plain_type = nn.ConvTranspose2d
    _convolve = staticmethod(functional.conv_transpose2d)


class FrameConvTranspose3d(_FrameConvTranspose):
    """Drop-in for ``nn.ConvTranspose3d`` that learns in a frame, see `FrameConvTranspose2d`.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias
        As in ``nn.ConvTranspose3d``.
    dilation, padding_mode, device, dtype
        As in ``nn.ConvTranspose3d``.
    frame : str or Frame
        As in `FrameConv3d`.

    Limits
    ------
    As in `FrameConv3d`.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import FrameConvTranspose3d
    >>> FrameConvTranspose3d(2, 4, 2, stride=2)(torch.zeros(1, 2, 3, 4, 5)).shape
    torch.Size([1, 4, 6, 8, 10])
    """

    plain_type = nn.ConvTranspose3d
    _convolve = staticmethod(functional.conv_transpose3d)
