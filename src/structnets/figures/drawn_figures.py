"""The thesis' figures that need no training: computed from bases and models, or schematics.

Importing this imports no matplotlib and no torch, since the workflow reads it at every parse.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DrawnFigure:
    """One figure.

    Attributes
    ----------
    function : str
        That draws it, as ``module:function`` of `structnets.figures`.
    chapter : int
        Of the thesis.
    title : str
        One line.
    caption : str
        What is shown.
    data : bool
        Whether its numbers are written as CSV beside it.
    titled : bool
        Whether the function takes the title.
    """

    function: str
    chapter: int
    title: str
    caption: str
    data: bool = True
    titled: bool = True


FIGURES: dict[str, DrawnFigure] = {
    "figure1": DrawnFigure(
        "linearization_schematic:draw_linearization",
        1,
        "Figure 1: Curved transformations become translations",
        "What a hierarchical attribute CNN learns: unknown transformations as steps on a grid.",
        data=False,
    ),
    "figure3": DrawnFigure(
        "googlenet_filters:draw_googlenet_filters",
        3,
        "Figure 3: Filters of a trained GoogLeNet",
        "Random filters of its layers, from weights the user gives (STRUCTNETS_GOOGLENET).",
        data=False,
    ),
    "figure4": DrawnFigure(
        "receptive_fields:draw_receptive_fields",
        3,
        "Figure 4: Filters as weighted sums of Gaussian derivatives",
        "The building block of an RFNN, with the library's basis and random weights.",
    ),
    "figure7": DrawnFigure(
        "block_schematics:draw_blocks",
        4,
        "Figure 7: A static residual block and a dynamic steerable one",
        "What is added in one is multiplied in the other, after a change of frame.",
        data=False,
    ),
    "figure8": DrawnFigure(
        "frames_plane:draw_frames_plane",
        4,
        "Figure 8: Frames of the plane",
        "A basis and an overcomplete frame of the plane, and how a vector is composed in each.",
    ),
    "figure9": DrawnFigure(
        "frame_atoms:draw_frame_atoms",
        4,
        "Figure 9: Sets of filters that span",
        "Atoms of the frames of chapter 4 on 3 × 3 pixels, with rank, condition and frame bounds.",
    ),
    "figure12": DrawnFigure(
        "hierarchy_schematic:draw_hierarchy_schematic",
        5,
        "Figure 12: From all maps, or from neighbouring ones",
        "How an output value is made in a plain layer and in a hierarchical one.",
        data=False,
        titled=False,
    ),
    "figure13": DrawnFigure(
        "hcnn_layers:draw_hcnn_layers",
        5,
        "Figure 13: Layers of the hierarchical attribute CNN",
        "Sizes of the arrays of the net for CIFAR-10, as the model computes them.",
    ),
    "figure16": DrawnFigure(
        "invertible_block:draw_block",
        6,
        "Figure 16: The invertible block and its inverse",
        "The block of Eq. 39, forward and backward.",
        data=False,
    ),
    "figure17": DrawnFigure(
        "invertible_block:draw_down_sampling",
        6,
        "Figure 17: Invertible down-sampling",
        "Where the pixels of a map go, computed from the layer.",
    ),
}


def endings(target: str) -> tuple[str, ...]:
    """Return the endings of a figure's files."""
    return ("svg", "png", "csv") if FIGURES[target].data else ("svg", "png")


def draw(target: str, stem: Path) -> list[Path]:
    """Draw one of `FIGURES`.

    Parameters
    ----------
    target : str
        Its name.
    stem : pathlib.Path
        Path without ending.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there is no such figure; the message lists those there are.
    """
    if target not in FIGURES:
        raise ValueError(f"unknown figure {target!r}; allowed: {', '.join(FIGURES)}")
    module, _, function = FIGURES[target].function.partition(":")
    words = {"title": FIGURES[target].title} if FIGURES[target].titled else {}
    return getattr(importlib.import_module(f"structnets.figures.{module}.draw"), function)(
        stem, **words
    )
