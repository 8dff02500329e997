"""The frames by name, as data: nothing is imported to know which there are."""

from __future__ import annotations

from dataclasses import dataclass

from structnets.entries import Entry

_FRAMES = "structnets.bases.frames"
_ANY = (1, 2, 3)


@dataclass(frozen=True)
class FrameEntry(Entry):
    """One frame.

    Attributes
    ----------
    constructor : str
        A function of ``kernel_size``, height and width, that returns a
        `structnets.bases.frames.Frame` of filters of that size.
    note : str
        What its atoms are.
    dimensions : tuple of int
        Numbers of axes that ``kernel_size`` may have: 1 for lines, 2 for pictures, 3 for volumes.
    """

    dimensions: tuple[int, ...] = (2,)


ENTRIES = {
    "pixel": FrameEntry(f"{_FRAMES}:pixel_frame", "one atom per pixel", _ANY),
    "gaussian": FrameEntry(
        f"{_FRAMES}:gaussian_frame", "as many Gaussian derivatives as pixels", _ANY
    ),
    "framelet": FrameEntry(
        f"{_FRAMES}:framelet_frame", "tensor products of B-spline framelets", _ANY
    ),
    "naive": FrameEntry(f"{_FRAMES}:naive_frame", "monomials", _ANY),
    "gauss15": FrameEntry(f"{_FRAMES}:gauss15_frame", "15 Gaussian derivatives, overcomplete"),
}
