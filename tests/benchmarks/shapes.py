"""Layer shapes that the benchmarks measure: the MNIST net's layers, NiN's blocks, any size."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.bases.discretisation import Discretisation, default_radius, difference_reach
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
    discretisation: Discretisation = "sampled"
    learned: bool = False
    channels_last: bool = True

    def maps(self) -> Tensor:
        """Draw an input."""
        maps = torch.randn(self.batch, self.inputs, self.side, self.side)
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return maps.contiguous(memory_format=layout)

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
            discretisation=self.discretisation,
            learn_sigma=self.learned,
        )

    def wants_gradient(self, training: bool) -> bool:
        """Say whether the maps want one in a step: pictures, of up to three channels, do not."""
        return training and self.inputs > 3

    def multiply_adds(self) -> int:
        """Count those of a plain convolution of this size, forward."""
        return self.batch * self.inputs * self.outputs * (self.size * self.side) ** 2


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

# The most a drawn shape may take: floating-point operations of the plain convolution's step, and
# bytes of its maps.
MOST_OPERATIONS, MOST_BYTES = 5e9, 1e9


def draw(rng: random.Random, kind: str, training: bool) -> Shape:
    """Draw a layer and its input, each size alike in all its octaves.

    Parameters
    ----------
    rng : random.Random
        Where the draw comes from.
    kind : {'sampled', 'hybrid', 'learned'}
        Discretisation; learned scales are hybrid.
    training : bool
        Whether the step has a backward pass, three times the work.
    """

    def octaves(least: int, most: int) -> int:
        return round(math.exp(rng.uniform(math.log(least), math.log(most))))

    while True:
        inputs, outputs = octaves(1, 512), octaves(1, 512)
        if rng.random() < 0.5:  # as most nets have them
            inputs, outputs = (2 ** round(math.log2(n)) for n in (inputs, outputs))
        side, size, batch = octaves(7, 512), rng.randrange(3, 26, 2), octaves(1, 128)
        order, radius = rng.randint(1, 4), size // 2
        # What the atoms ask for: three sigma; four under hybrid differences, and these.
        room = radius / 3 if kind == "sampled" else (radius - difference_reach(order)) / 4
        shape = Shape(
            "drawn",
            *(batch, inputs, outputs, side, order, (room,), size),
            discretisation="sampled" if kind == "sampled" else "hybrid",
            learned=kind == "learned",
            channels_last=rng.random() < 0.5,
        )
        operations = 2 * shape.multiply_adds() * (3 if training else 1)
        numbers = batch * (inputs + outputs) * side**2
        enough = room >= (1 / 3 if kind == "sampled" else 1 / 2) * max(1, (order + 1) // 2)
        if enough and operations <= MOST_OPERATIONS and 4 * numbers <= MOST_BYTES:
            return shape


def draw_of_a_net(rng: random.Random, kind: str) -> Shape:
    """Draw a layer as the stages of a residual net have them, wider than `draw` allows."""
    while True:
        inputs, outputs = (2 ** rng.randint(4, 9) for _ in range(2))
        side, sigma = rng.choice((7, 8, 14, 16, 28, 32, 56, 64)), rng.uniform(1, 4)
        discretisation: Discretisation = "sampled" if kind == "sampled" else "hybrid"
        order = rng.randint(1, 3)
        shape = Shape(
            "of a net",
            *(rng.randint(4, 32), inputs, outputs, side, order, (sigma,)),
            2 * default_radius(order, sigma, discretisation) + 1,
            discretisation=discretisation,
            learned=kind == "learned",
            channels_last=rng.random() < 0.5,
        )
        atoms = (order + 1) * (order + 2) // 2
        operations = 6 * shape.batch * inputs * outputs * atoms * side**2
        if operations <= MOST_OPERATIONS:
            return shape
