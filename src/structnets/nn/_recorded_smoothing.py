"""Smoothing and differences as convolutions, where a call is recorded and not run.

Matrices and slices have the sizes of the maps, which `torch.export` and `torch.compile` may be told
to leave open; convolutions have none.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from structnets.nn._convolution_arguments import Pair


def smoothed(
    x: Tensor, smoothing: tuple[Tensor, Tensor], padding: Pair, dilation: Pair
) -> list[Tensor]:
    """Smooth maps (B, C, H, W) at every scale, along y and then along x.

    Parameters
    ----------
    smoothing : pair of Tensor, shape (S, K) or (C, S, K)
        Taps along y and x, of all channels or of each.
    padding, dilation : pair of int
        Zeros on either side, and the distance of neighbours.
    """
    along_y, along_x = (taps.to(x.dtype).unbind(-2) for taps in smoothing)
    return [
        _along(_along(x, y, 0, padding, dilation), x_, 1, padding, dilation)
        for y, x_ in zip(along_y, along_x, strict=True)
    ]


def _along(x: Tensor, taps: Tensor, axis: int, padding: Pair, dilation: Pair) -> Tensor:
    channels = x.shape[1]
    weight = taps.expand(channels, -1)[:, None].unsqueeze(3 - axis)
    margin, spacing = [0, 0], [1, 1]
    margin[axis], spacing[axis] = padding[axis], dilation[axis]
    return functional.conv2d(x, weight, None, 1, margin, spacing, groups=channels)


def differences(
    maps: Sequence[Tensor],
    scale_of: Sequence[int],
    taps: Tensor,
    stride: Pair,
    dilation: Pair,
) -> list[Tensor]:
    """Take the difference of every atom, from the smoothed maps of its scale: N of (B, C, V, U).

    Parameters
    ----------
    maps : sequence of Tensor, shape (B, C, H, W)
        Smoothed maps of every scale.
    scale_of : sequence of int
        Every atom's scale.
    taps : Tensor, shape (N, k, k)
        Every atom's difference.
    stride, dilation : pair of int
        Of the places, and of neighbours.
    """
    return [
        functional.conv2d(
            maps[scale],
            tap.expand(maps[scale].shape[1], 1, -1, -1),
            None,
            stride,
            0,
            dilation,
            groups=maps[scale].shape[1],
        )
        for scale, tap in zip(scale_of, taps.to(maps[0].dtype), strict=True)
    ]
