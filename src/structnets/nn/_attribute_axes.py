"""The two attribute axes that a hierarchical convolution filters and subsamples (Eq. 35, 37)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

Pair = tuple[int, int]
PADDINGS = ("zeros", "circular")
REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True)
class Run:
    """Neighbouring filter taps that meet neighbouring samples: tap ``first`` meets ``start``."""

    start: int
    first: int
    length: int


@dataclass(frozen=True)
class AttributeAxes:
    """Geometry of a 'same' correlation along (v_{j-2}, v_{j-1}), subsampled.

    Output o of an axis is centred on sample ``subsampling * o``.

    Parameters
    ----------
    sizes : pair of int
        Values that the incoming attributes take.
    support : pair of int
        Odd widths of the filters; wider than the axis if zeros surround it.
    subsampling : pair of int
        Strides.
    padding : {'zeros', 'circular'}
        What lies beyond the axes.

    Raises
    ------
    ValueError
        If circular padding reaches around an axis more than once.
    """

    sizes: Pair
    support: Pair
    subsampling: Pair = (2, 2)
    padding: str = "zeros"

    def __post_init__(self) -> None:
        """Check that circular padding fits."""
        for size, support in zip(self.sizes, self.support, strict=True):
            if self.padding == "circular" and support // 2 > size:
                raise ValueError(
                    f"circular padding of {support // 2} (support {support}) exceeds an attribute "
                    f"axis of {size}; allowed: support <= {2 * size + 1}, or padding 'zeros'"
                )

    @property
    def margins(self) -> Pair:
        """Padding on either side of each axis."""
        return self.support[0] // 2, self.support[1] // 2

    @property
    def outputs(self) -> Pair:
        """Values that the attributes take after subsampling."""
        first, second = (-(-n // s) for n, s in zip(self.sizes, self.subsampling, strict=True))
        return first, second

    def samples(self, axis: int, output: int) -> list[int | None]:
        """Return the sample that each tap meets at one output; None where it meets padding."""
        size, margin = self.sizes[axis], self.margins[axis]
        begin = self.subsampling[axis] * output - margin
        places = range(begin, begin + self.support[axis])
        if self.padding == "circular":
            return [place % size for place in places]
        return [place if 0 <= place < size else None for place in places]

    @cached_property
    def runs(self) -> tuple[tuple[Run, ...], ...]:
        """The taps of each output of the first axis, as few runs without gaps."""
        return tuple(_runs(self.samples(0, o)) for o in range(self.outputs[0]))

    def placement(self, like: Tensor) -> Tensor:
        """Return how often tap d takes sample i to output o of the second axis, as (i, o, d)."""
        placed = torch.zeros(self.sizes[1], self.outputs[1], self.support[1], device="cpu")
        for output in range(self.outputs[1]):
            for tap, sample in enumerate(self.samples(1, output)):
                if sample is not None:
                    placed[sample, output, tap] += 1
        return placed.to(like)

    def taps(self, axis: int) -> int:
        """Count the taps that meet a sample, over the outputs of an axis."""
        met = [self.samples(axis, output) for output in range(self.outputs[axis])]
        return sum(sample is not None for samples in met for sample in samples)


def check_geometry(
    values: int,
    support: Pair,
    kernel_size: int,
    stride: int,
    subsampling: Pair,
    padding: str,
    reduction: str,
) -> None:
    """Refuse arguments that a convolution along space and two attributes does not have.

    Raises
    ------
    ValueError
        If a count is less than one, a width is even, or a word is unknown.
    """
    for name, value in (
        ("values", values),
        ("stride", stride),
        ("subsampling", min(subsampling)),
    ):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    for name, value in (("kernel_size", kernel_size), *(("support", s) for s in support)):
        if value < 1 or value % 2 == 0:
            raise ValueError(f"{name} must be odd and positive, got {value}")
    for name, value, allowed in (
        ("padding", padding, PADDINGS),
        ("reduction", reduction, REDUCTIONS),
    ):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")


def _runs(samples: list[int | None]) -> tuple[Run, ...]:
    """Group the taps of one output by neighbouring samples."""
    runs: list[Run] = []
    for tap, sample in enumerate(samples):
        if sample is None:
            continue
        last = runs[-1] if runs else None
        if last and (last.start + last.length, last.first + last.length) == (sample, tap):
            runs[-1] = Run(last.start, last.first, last.length + 1)
        else:
            runs.append(Run(sample, tap, 1))
    return tuple(runs)
