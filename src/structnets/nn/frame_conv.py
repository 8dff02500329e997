"""`FrameConv2d`: a convolution that learns coefficients in a frame instead of pixels (Eq. 24)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.frames import Frame
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._convolution_arguments import PaddingMode
from structnets.nn._frame_convolution import Axes, FrameConvolution
from structnets.nn._patch_mixing import convolve_patches, mixes_patches


class _FrameConv(FrameConvolution):
    """Frame convolutions of any dimension."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Axes,
        stride: Axes = 1,
        padding: Axes | str = 0,
        dilation: Axes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        frame: str | Frame = "gaussian",
    ) -> None:
        build: Any = self.plain_type
        shape = (in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        plain = build(*shape, bias, padding_mode, device="meta")
        super().__init__(plain, device, dtype, frame)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps (B, in_channels, *size); returns (B, out_channels, *size')."""
        check_tensors(self, x, self.coefficients)
        if self.composed() is None and mixes_patches(self, x):
            return convolve_patches(self, x)
        padding = self.padding
        if self.padding_mode != "zeros":
            x = functional.pad(x, self.margins, self.padding_mode)
            padding = 0
        geometry = (self.stride, padding, self.dilation, self.groups)
        return self._convolve(x, self.kernel(), self.bias, *geometry)


class FrameConv2d(_FrameConv):
    """Drop-in for ``nn.Conv2d`` whose filters are mixtures of the atoms of a frame.

    The filter from input i to output o is ``sum_m coefficients[o, i, m] phi_m``. It is composed
    once per call and then convolved with as usual; where that would cost more, in layers of many
    channels on small maps, the atoms are applied to the maps instead. A step costs about what it
    costs in pixels.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As in ``nn.Conv2d``.
    device, dtype
        As in ``nn.Conv2d``.
    frame : str or Frame
        A name of `structnets.bases.frames.FRAMES` (its atoms then have unit norm, and it must
        span), or a frame of one's own of the size of the kernel. ``image`` is Gaussian here:
        alone, a layer has nothing to alternate with.

    Attributes
    ----------
    coefficients : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    ValueError
        If the frame is unknown, has another size, or its name stands for one that cannot span
        kernels of this size.

    Limits
    ------
    Filters are composed in full precision under autocast. In half precision the coefficients of
    an ill-conditioned frame round the filters coarsely: `from_conv` refuses that.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from structnets.nn import FrameConv2d
    >>> plain = nn.Conv2d(3, 8, 3, padding=1)
    >>> layer = FrameConv2d.from_conv(plain, "gaussian")
    >>> x = torch.randn(2, 3, 16, 16)
    >>> torch.allclose(layer(x), plain(x), atol=1e-5)
    True
    """

    plain_type = nn.Conv2d
    _convolve = staticmethod(functional.conv2d)


class FrameConv1d(_FrameConv):
    """Drop-in for ``nn.Conv1d`` whose filters are mixtures of the atoms of a frame.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As in ``nn.Conv1d``.
    device, dtype
        As in ``nn.Conv1d``.
    frame : str or Frame
        As in `FrameConv2d`; its atoms have one axis.

    Attributes
    ----------
    coefficients : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    ValueError
        As in `FrameConv2d`; also for a frame of planes.

    Limits
    ------
    As in `FrameConv2d`.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import FrameConv1d
    >>> layer = FrameConv1d(2, 4, 5, padding=2, frame="framelet")
    >>> layer(torch.zeros(3, 2, 20)).shape
    torch.Size([3, 4, 20])
    >>> layer.collapse()
    Conv1d(2, 4, kernel_size=(5,), stride=(1,), padding=(2,))
    """

    plain_type = nn.Conv1d
    _convolve = staticmethod(functional.conv1d)


class FrameConv3d(_FrameConv):
    """Drop-in for ``nn.Conv3d`` whose filters are mixtures of the atoms of a frame.

    The atoms of the named frames are products of one filter an axis, as many as the kernel has
    voxels; their condition is about the cube of that on a line.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As in ``nn.Conv3d``.
    device, dtype
        As in ``nn.Conv3d``.
    frame : str or Frame
        As in `FrameConv2d`; its atoms have three axes.

    Attributes
    ----------
    coefficients : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    ValueError
        As in `FrameConv2d`; also for a frame of planes.

    Limits
    ------
    As in `FrameConv2d`. Wide kernels are refused in frames whose condition they make too large.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import FrameConv3d
    >>> layer = FrameConv3d(1, 4, 3, padding=1)
    >>> layer(torch.zeros(2, 1, 6, 7, 8)).shape
    torch.Size([2, 4, 6, 7, 8])
    >>> layer.coefficients.shape
    torch.Size([4, 1, 27])
    """

    plain_type = nn.Conv3d
    _convolve = staticmethod(functional.conv3d)
