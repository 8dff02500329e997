"""Residual units with pre-activation (He et al. 2016): the static blocks of chapter 4 (Eq. 28)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def conv3x3(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """Return a 3 x 3 convolution that keeps the map size at stride 1, without bias."""
    return nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)


def conv1x1(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """Return a 1 x 1 convolution without bias."""
    return nn.Conv2d(inputs, outputs, 1, stride, bias=False)


class PreActivationUnit(nn.Module):
    """Batch norm and ReLU before every convolution; their sum with the shortcut is the output.

    A unit that changes width or resolution projects its activated input for the shortcut.

    Parameters
    ----------
    inputs : int
        Channels of the input.
    convolutions : sequence of nn.Conv2d
        The residual branch.
    """

    def __init__(self, inputs: int, convolutions: Sequence[nn.Conv2d]) -> None:
        super().__init__()
        outputs = convolutions[-1].out_channels
        stride = max(conv.stride[0] for conv in convolutions)
        self.norms = nn.ModuleList(nn.BatchNorm2d(conv.in_channels) for conv in convolutions)
        self.convolutions = nn.ModuleList(convolutions)
        changes = stride != 1 or inputs != outputs
        self.shortcut = conv1x1(inputs, outputs, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps (B, C, H, W)."""
        residual = x
        for i, (norm, conv) in enumerate(zip(self.norms, self.convolutions, strict=True)):
            residual = functional.relu(norm(residual), inplace=True)
            if i == 0 and self.shortcut is not None:
                x = self.shortcut(residual)
            residual = conv(residual)
        return residual + x


class StaticResBlock(PreActivationUnit):
    """Two 3 x 3 convolutions with a shortcut, at the resolution of the input.

    The static counterpart of `DynamicSteerableBlock`; `hidden_width` makes it as large.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    hidden : int, optional
        Channels between the convolutions, by default `out_channels`.
    dilation : int
        Of both convolutions.

    Limits
    ------
    Batch norm: outputs in training mode depend on the batch.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import StaticResBlock
    >>> StaticResBlock(3, 8)(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 8, 16, 16])
    """

    def __init__(
        self, in_channels: int, out_channels: int, hidden: int | None = None, dilation: int = 1
    ) -> None:
        hidden = out_channels if hidden is None else hidden
        super().__init__(
            in_channels,
            [
                conv3x3(in_channels, hidden, dilation=dilation),
                conv3x3(hidden, out_channels, dilation=dilation),
            ],
        )


def hidden_width(parameters: int, in_channels: int, out_channels: int) -> int:
    """Return the hidden width at which a `StaticResBlock` comes nearest to a parameter count."""
    shortcut = in_channels * out_channels if in_channels != out_channels else 0
    fixed = 2 * in_channels + shortcut
    per_unit = 9 * (in_channels + out_channels) + 2
    return max(1, round((parameters - fixed) / per_unit))
