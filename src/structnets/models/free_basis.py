"""The nets of Table 2: RFNiN and NiN with a basis that is learned, and what stands beside them.

How the free basis begins is the text's silence. `structnets.nn.LearnedBasisConv2d` draws atoms of
unit norm, where Gaussian derivatives have norms of .03 to .4: four layers of them begin at a
cross-entropy of a hundred, and what is compared then is the start, not the basis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from structnets.bases.gaussian import GaussianBasis, Norm, dyadic_sigmas, scales_of_layer
from structnets.models.nin import Nin
from structnets.models.nin import nin_refactor_layer1 as refactored_layer1
from structnets.models.rfnin import FIXED_KERNELS, rfnin, supports
from structnets.models.rfnin_blocks import INITS
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d

STARTS = ("unit", "gaussian")
_ORDER = 3


def nin_refactor_all(
    num_classes: int = 100,
    in_channels: int = 3,
    order: int = 3,
    scales: int = 4,
    kernel_sizes: Sequence[int] | None = None,
    norm: Norm = "scale",
    init: str = "msra",
    dropout: float = 0.5,
    input_scale: float = 255.0,
    way: str = "repeatable",
    start: str = "unit",
) -> Nin:
    """Build RFNiN with a learned basis in all layers (Table 2).

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image.
    order, scales, kernel_sizes, norm, init, dropout, input_scale, way
        See `structnets.models.rfnin.rfnin`; of order and scales the atoms' number follows.
    start : {'unit', 'gaussian'}
        Norms of the atoms at first: about one each, or those of the Gaussian derivatives in whose
        place they stand. The latter is the only one that begins near chance.

    Returns
    -------
    Nin
        6,833,850 parameters with 100 classes.

    Raises
    ------
    ValueError
        If `start` is unknown.
    """
    model = rfnin(
        num_classes,
        in_channels,
        order,
        scales,
        kernel_sizes,
        "free",
        norm,
        init,
        dropout,
        input_scale,
        way,
    )
    bases = [
        GaussianBasis(order, scales_of_layer(number, 4) if scales == 4 else (1.0,), size, norm=norm)
        for number, size in enumerate(supports(scales, kernel_sizes), start=1)
    ]
    return _started(model, bases, start)


def nin_refactor_layer1(
    num_classes: int = 1000,
    in_channels: int = 3,
    start: str = "unit",
    basis: str = "free",
    keep_cccp: bool = True,
    dropout: float = 0.5,
    input_scale: float = 255.0,
) -> Nin:
    """Build NiN with its first convolution factorised (Table 2).

    Parameters
    ----------
    start : {'unit', 'gaussian'}
        See `nin_refactor_all`; of no account with a Gaussian basis.
    num_classes, in_channels, basis, keep_cccp, dropout, input_scale
        See `structnets.models.nin.nin_refactor_layer1`.

    Returns
    -------
    Nin
        7,575,461 parameters with 1000 classes.

    Raises
    ------
    ValueError
        If `start` is unknown.
    """
    model = refactored_layer1(num_classes, in_channels, basis, keep_cccp, dropout, input_scale)
    first = GaussianBasis(_ORDER, dyadic_sigmas(4), FIXED_KERNELS[0])
    return _started(model, [first], start)


def rfnin_refactor_layer1(
    num_classes: int = 1000,
    in_channels: int = 3,
    init: str = "he",
    keep_cccp: bool = True,
    dropout: float = 0.5,
    input_scale: float = 255.0,
) -> Nin:
    """Build NiN with Gaussian derivatives in its first convolution (Table 2).

    Parameters
    ----------
    init : {'he', 'msra'}
        The variance of the first layer's weights. With He et al.'s for the composed filters its
        maps begin seven times as large as those of the free basis in `nin_refactor_layer1`; the
        released nets' gives them the same size.
    num_classes, in_channels, keep_cccp, dropout, input_scale
        See `structnets.models.nin.nin_refactor_layer1`.

    Returns
    -------
    Nin
        7,570,984 parameters with 1000 classes.

    Raises
    ------
    ValueError
        If `init` is unknown.
    """
    if init not in INITS:
        raise ValueError(f"init must be one of {', '.join(INITS)}; got {init!r}")
    model = refactored_layer1(num_classes, in_channels, "gaussian", keep_cccp, dropout, input_scale)
    if init == "msra":
        first = next(layer for layer in model.modules() if isinstance(layer, GaussianConv2d))
        nn.init.normal_(first.alpha, std=math.sqrt(2 / first.alpha[0].numel()))
    return model


def _started(model: Nin, bases: Sequence[GaussianBasis], start: str) -> Nin:
    """Give the free layers' atoms the norms of Gaussian ones, if asked for."""
    if start not in STARTS:
        raise ValueError(f"start must be one of {', '.join(STARTS)}; got {start!r}")
    layers = [layer for layer in model.modules() if isinstance(layer, LearnedBasisConv2d)]
    if start == "gaussian" and layers:
        for layer, basis in zip(layers, bases, strict=True):
            take_norms(layer, basis)
    return model


@torch.no_grad()
def take_norms(layer: LearnedBasisConv2d, basis: GaussianBasis) -> None:
    """Scale the atoms of a layer to the norms of Gaussian ones, in their order.

    The mixture is left alone, as the Gaussian layer's is: composed filters shrink alike.

    Raises
    ------
    ValueError
        If the layer has another number of atoms.
    """
    if len(layer.basis_kernels) != len(basis):
        raise ValueError(
            f"the layer has {len(layer.basis_kernels)} atoms, the Gaussian basis {len(basis)}"
        )
    wanted = torch.tensor(basis.kernels).flatten(1).norm(dim=1).to(layer.basis_kernels)
    found = layer.basis_kernels.flatten(1).norm(dim=1)
    layer.basis_kernels.mul_((wanted / found)[:, None, None])
