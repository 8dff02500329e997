"""Draw the picture of the README: what is fixed in each of the four families.

Command: ``python docs/front_picture.py`` (writes ``docs/_static/four_families.png``).
"""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from skimage import data, transform
from torch import nn

from structnets.bases.gaussian import GaussianBasis
from structnets.bases.steering import rotation_coefficients
from structnets.nn import (
    HierarchicalConv,
    InvertibleBlock,
    InvertibleSequential,
    MergeStreams,
    SpaceToDepth,
    SplitChannels,
)

OUT = Path(__file__).parent / "_static" / "four_families.png"


def filters(axes: list[Axes], values: list[np.ndarray]) -> None:
    """Show filters, zero in white."""
    for axis, one in zip(axes, values, strict=True):
        limit = abs(one).max()
        axis.imshow(one, cmap="RdBu_r", vmin=-limit, vmax=limit)


def mixed(axes: list[Axes]) -> None:
    """Show two derivatives, and a mixture of the third order."""
    kernels = GaussianBasis(order=3, sigmas=(2.0,), kernel_size=15).kernels
    weights = np.random.default_rng(5).normal(size=len(kernels))
    filters(axes, [kernels[1], kernels[5], np.tensordot(weights, kernels, 1)])


def turned(axes: list[Axes]) -> None:
    """Show one derivative at three angles."""
    basis = GaussianBasis(order=3, sigmas=(2.5,), kernel_size=19)
    place = {atom.exponents: number for number, atom in enumerate(basis.atoms)}
    angles = [rotation_coefficients((3, 0), math.radians(angle)) for angle in (0, 35, 70)]
    filters(axes, [sum(v * basis.kernels[place[e]] for e, v in one.items()) for one in angles])


def ordered(axes: list[Axes]) -> None:
    """Show outputs over two attributes, of an input that is shifted along one of them."""
    torch.manual_seed(0)
    layer = HierarchicalConv(8, 8, support=(5, 5), subsampling=(1, 2), padding="circular").eval()
    x = torch.randn(1, 4, 4, 8, 16).cumsum(4)
    with torch.no_grad():
        arrays = [layer(x.roll(4 * shift, 4))[0, 2, 2, :, :, 3].numpy() for shift in range(3)]
    for axis, one in zip(axes, arrays, strict=True):
        axis.imshow(one, cmap="viridis")


def undone(axes: list[Axes]) -> None:
    """Show a photograph, its features, and the photograph computed back from them."""
    torch.manual_seed(0)
    blocks = [
        nn.Sequential(nn.Conv2d(6, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 6, 3, padding=1))
        for _ in range(4)
    ]
    couplings = [InvertibleBlock(block) for block in blocks]
    chain = InvertibleSequential(
        SpaceToDepth(2), SplitChannels(), *couplings, MergeStreams()
    ).eval()
    photo = transform.resize(data.astronaut()[:220, 110:330], (96, 96))
    x = torch.tensor(photo, dtype=torch.float32).permute(2, 0, 1)[None] * 2 - 1
    with torch.no_grad():
        features = chain(x)
        back = chain.inverse(features)
    tiled = features[0, :9].reshape(3, 3, 48, 48).permute(0, 2, 1, 3).reshape(144, 144)
    axes[0].imshow(photo)
    axes[1].imshow(tiled, cmap="gray", vmin=-1.5, vmax=1.5)
    axes[2].imshow((back[0].permute(1, 2, 0) / 2 + 0.5).clip(0, 1))


FAMILIES = {
    "Filters mixed\nfrom Gaussian\nderivatives": mixed,
    "Filters\nturned by\nformula": turned,
    "Channels\nordered along\nattributes": ordered,
    "Layers\nthat can be\nundone": undone,
}


def draw() -> Figure:
    """Draw the four families beside each other."""
    figure = Figure(figsize=(11, 2.35), layout="constrained")
    parts: list[SubFigure] = list(figure.subfigures(1, 4, wspace=0.04))
    for part, (title, family) in zip(parts, FAMILIES.items(), strict=True):
        part.suptitle(title, fontsize=18)
        axes = list(part.subplots(1, 3))
        family(axes)
        for axis in axes:
            axis.set(xticks=[], yticks=[], aspect="auto" if family is ordered else "equal")
    return figure


if __name__ == "__main__":
    mpl.use("agg")
    draw().savefig(OUT, dpi=100)
