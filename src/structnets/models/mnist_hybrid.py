"""The RFNN of Figure 6 with what this library adds: hybrid derivatives, and learned scales.

Not in the thesis. Skeleton, scales, orders and maps are those of `structnets.models.mnist.rfnn`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from structnets.bases.discretisation import Discretisation
from structnets.bases.gaussian import GaussianBasis
from structnets.models.mnist import PADDINGS, WIDTH, MnistNet
from structnets.nn._learned_scale import learned_sigmas
from structnets.nn._modes import without_autocast
from structnets.nn.gaussian_conv import GaussianConv2d

FACTOR = 2.0
"""Learned scales stay within this factor of the first ones."""


class SlowScaleConv2d(GaussianConv2d):
    """A Gaussian layer whose learned scales move at a tenth of the weights' rate.

    Adadelta's and Adam's steps have one size whatever the gradient's, so that a parameter that
    counts a tenth moves the scale a tenth as fast, in the one group of an optimiser that a recipe
    knows. Other optimisers have `structnets.nn.scale_groups`.
    """

    rate = 0.1

    def sigmas(self) -> Tensor:
        """Return the scales as they are now."""
        if self.log_scale is None:
            return super().sigmas()
        with without_autocast(self.log_scale.device.type):
            moved = self.rate * self.log_scale
            return learned_sigmas(moved, self.basis.sigmas, self.sigma_factor)


def rfnn_hybrid(
    num_classes: int = 10,
    image_size: int = 28,
    orders: Sequence[int] = (3, 2, 2),
    sigmas: Sequence[float] = (1.5, 1.0, 1.0),
    learn_sigma: bool = False,
    discretisation: Discretisation = "hybrid",
    in_channels: int = 1,
) -> MnistNet:
    """Build the net of Figure 6 of other discretisations, whose scales may be learned.

    Parameters
    ----------
    num_classes, image_size : int
        Outputs, and width of the input.
    orders : sequence of int
        Highest derivative order per layer, by default those of the released code.
    sigmas : sequence of float
        Scale per layer, in pixels; the first one if scales are learned.
    learn_sigma : bool
        Whether every layer learns its scale, at a tenth of the weights' rate and within a factor
        of two.
    discretisation : str
        See `structnets.bases.discretisation`.
    in_channels : int
        Channels of the images.

    Returns
    -------
    MnistNet
        81,152 parameters, and three more with learned scales. Supports are wider than sampled
        ones, and padded so that the maps keep their sizes 13, 9, 7.

    Raises
    ------
    ValueError
        If there is not one order and one scale per layer.
    """
    for name, value in (("orders", orders), ("sigmas", sigmas)):
        if len(value) != 3:
            raise ValueError(f"{name} must have one value per layer (3), got {list(value)}")
    layers = []
    for i, (order, sigma) in enumerate(zip(orders, sigmas, strict=True)):
        widest = sigma * FACTOR if learn_sigma else sigma
        size = GaussianBasis(order, (widest,), discretisation=discretisation).radius * 2 + 1
        # A full convolution adds half the sampled support to either side.
        grown = GaussianBasis(order, (sigma,)).radius if PADDINGS[i] == "full" else 0
        layer = SlowScaleConv2d(
            in_channels if i == 0 else WIDTH,
            WIDTH,
            order=order,
            sigmas=sigma,
            kernel_size=size,
            padding=size // 2 + grown,
            bias=False,
            discretisation=discretisation,
            learn_sigma=learn_sigma,
            sigma_factor=FACTOR,
        )
        nn.init.uniform_(layer.alpha, -1, 1)
        layers.append(layer)
    return MnistNet(layers, num_classes, image_size)
