"""Layer shapes that the benchmarks measure: this net's three layers and NiN's four blocks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn import GaussianConv2d
from structnets.nn._convolution_arguments import Padding


@dataclass(frozen=True)
class Shape:
    """One structured layer on one input size."""

    name: str
    batch: int
    inputs: int
    outputs: int
    side: int
    order: int
    sigmas: tuple[float, ...]
    size: int
    stride: int = 1
    padding: Padding = "same"

    def maps(self) -> Tensor:
        """Draw an input, channels last in memory."""
        maps = torch.randn(self.batch, self.inputs, self.side, self.side)
        return maps.contiguous(memory_format=torch.channels_last)

    def layer(self) -> GaussianConv2d:
        """Build the layer, without bias."""
        return GaussianConv2d(
            self.inputs,
            self.outputs,
            order=self.order,
            sigmas=self.sigmas,
            kernel_size=self.size,
            stride=self.stride,
            padding=self.padding,
            bias=False,
        )


MNIST = (
    Shape("mnist 1", 25, 1, 64, 28, 3, (1.5,), 11),
    Shape("mnist 2", 25, 64, 64, 13, 2, (1.0,), 7, padding="full"),
    Shape("mnist 3", 25, 64, 64, 9, 2, (1.0,), 7, padding="full"),
)
NIN = (
    Shape("nin 1", 8, 3, 96, 224, 3, (1.0, 2.0, 4.0, 8.0), 11, stride=4),
    Shape("nin 2", 8, 96, 256, 27, 3, (1.0, 2.0, 4.0), 9),
    Shape("nin 3", 8, 256, 384, 13, 3, (1.0, 2.0), 7),
    Shape("nin 4", 8, 384, 1024, 6, 3, (1.0,), 5),
)
