"""The frames by name, as data: nothing is imported to know which there are."""

from __future__ import annotations

from dataclasses import dataclass

from structnets.entries import Entry

_FRAMES = "structnets.bases.frames"


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
    """


ENTRIES = {
    "pixel": FrameEntry(f"{_FRAMES}:pixel_frame", "one atom per pixel"),
    "gaussian": FrameEntry(f"{_FRAMES}:gaussian_frame", "as many Gaussian derivatives as pixels"),
    "framelet": FrameEntry(f"{_FRAMES}:framelet_frame", "tensor products of B-spline framelets"),
    "naive": FrameEntry(f"{_FRAMES}:naive_frame", "monomials"),
    "gauss15": FrameEntry(f"{_FRAMES}:gauss15_frame", "15 Gaussian derivatives, overcomplete"),
}
