"""`Bottleneck`: the residual function F of i-RevNet and RevNet (thesis section 6.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


class Bottleneck(nn.Module):
    """Three convolutions without bias, each preceded by batch norm and ReLU.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels; the second convolution works on a quarter of `out_channels`.
    stride : int
        Of the first convolution.
    kernels : sequence of three int
        Odd filter widths: 1, 3, 1 in the thesis; 3, 3, 3 in the released code.
    dropout : float
        Probability, after the second convolution.
    activate : bool
        Begin with batch norm and ReLU; the first block of a net does not.
    reduction : int
        The quarter, if it is to be another share.

    Limits
    ------
    Batch norm: outputs in training mode depend on the batch, and a batch of one value a channel
    is refused, as PyTorch does.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import Bottleneck
    >>> Bottleneck(8, 16, stride=2)(torch.zeros(2, 8, 16, 16)).shape
    torch.Size([2, 16, 8, 8])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        kernels: Sequence[int] = (1, 3, 1),
        dropout: float = 0.0,
        activate: bool = True,
        reduction: int = 4,
    ) -> None:
        super().__init__()
        if len(kernels) != 3 or any(size < 1 or size % 2 == 0 for size in kernels):
            raise ValueError(f"kernels must be three odd widths, got {list(kernels)}")
        inner = out_channels // reduction
        if inner < 1:
            raise ValueError(
                f"out_channels must be at least {reduction}, one channel in the narrow layer; "
                f"got {out_channels}"
            )
        self.norm1 = nn.BatchNorm2d(in_channels) if activate else None
        self.conv1 = _convolution(in_channels, inner, kernels[0], stride)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv2 = _convolution(inner, inner, kernels[1])
        self.drop = nn.Dropout(dropout)
        self.norm3 = nn.BatchNorm2d(inner)
        self.conv3 = _convolution(inner, out_channels, kernels[2])

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        if self.norm1 is not None:
            # In place on the fresh output of batch norm, never on the input.
            x = functional.relu(self.norm1(x), inplace=True)
        x = functional.relu(self.norm2(self.conv1(x)), inplace=True)
        x = functional.relu(self.norm3(self.drop(self.conv2(x))), inplace=True)
        return self.conv3(x)


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
