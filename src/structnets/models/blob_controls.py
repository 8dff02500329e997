"""Figure 10 by the letter of section 4.4.2, and its baseline of a number of filters."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from structnets.models.blobs import FRAME, SingleDynamicBlock, SmallFCN
from structnets.nn.pose import PoseNetwork


def literal_block(
    in_channels: int = 1,
    units: int = 16,
    context: int = 5,
    sigma: float = 1.0,
    num_classes: int = 1,
) -> SingleDynamicBlock:
    """Build the dynamic block as the thesis has it: three tanh layers that estimate one angle.

    No amplitude, no polar form, no contrast of one image or place.

    Parameters
    ----------
    in_channels : int
        Of the images: 1.
    units : int
        Channels of the pose network, 8 to 16 in the thesis.
    context : int
        Odd width of its convolutions, which the thesis does not state.
    sigma : float
        Scale of the derivatives in pixels; the thesis' range begins at .8.
    num_classes : int
        Maps of logits.

    Returns
    -------
    SingleDynamicBlock
        7,636 parameters.
    """
    return SingleDynamicBlock(
        in_channels,
        units,
        context,
        dilation=(1, 1, 1),
        sigma=sigma,
        direction=False,
        amplitude=False,
        gauge=False,
        surroundings=0,
        contrast="set",
        num_classes=num_classes,
    )


def small_fcn(
    in_channels: int = 1,
    filters: int = 5,
    units: int = 16,
    context: int = 5,
    dilation: int | Sequence[int] = (1, 2, 4),
    contrast: str = "image",
    num_classes: int = 1,
) -> SmallFCN:
    """Build the fully convolutional baseline with so many filters.

    Parameters
    ----------
    filters : int
        Of the first convolution. On fresh images of the training textures 5 are better than 3.
    in_channels, units, context, dilation, contrast, num_classes
        See `structnets.models.blobs.SmallFCN`.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    if filters < 1:
        raise ValueError(f"filters must be >= 1, got {filters}")
    model = SmallFCN(in_channels, units, context, dilation, contrast, num_classes)
    model.filters = nn.Conv2d(in_channels, filters, FRAME, padding=FRAME // 2)
    model.network = PoseNetwork(filters, num_classes, units, 3, context, dilation)
    return model
