"""RFNiN: Network in Network with structured receptive fields (thesis section 3.4, Tables 1 to 4).

The last block's 1x1 convolution has the classes as channels and the logits are its mean over the
map. This reading gives all eight parameter counts of Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from structnets.bases.gaussian import Norm, dyadic_sigmas, scales_of_layer
from structnets.models.nin import IMAGENET_WIDTHS, Nin
from structnets.models.rfnin_blocks import Basis, Block, assemble

FIXED_KERNELS = (11, 9, 7, 5)


def rfnin(
    num_classes: int = 100,
    in_channels: int = 3,
    order: int = 3,
    scales: int = 4,
    kernel_sizes: Sequence[int] | None = None,
    basis: str = "gaussian",
    norm: Norm = "scale",
    init: str = "msra",
    dropout: float = 0.5,
    input_scale: float = 255.0,
    way: str = "repeatable",
) -> Nin:
    """Build RFNiN (one scale) or RFNiN-Scale (four scales) for ImageNet.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image (224x224 in the thesis).
    order : int
        Highest order of the derivatives: 1 to 4 in Table 1.
    scales : {1, 4}
        Scale 1 in all layers, or 1 2 4 8, 1 2 4, 1 2 and 1.
    kernel_sizes : sequence of four int, optional
        Supports. By default 11, 9, 7, 5 with four scales, where the published nets cut the large
        Gaussians, and 7 (three sigma) with one; 49, 25, 13, 7 are three sigma with four.
    basis : {'gaussian', 'free'}
        ``free`` learns the basis ("NiN-refactor All Layers" of Table 2).
    norm, init, way : str
        See `Basis`.
    dropout : float
        Probability before the last block, as in NiN.
    input_scale : float
        See `PixelRange`.

    Returns
    -------
    Nin
        With 100 classes and scales 6,825,924 parameters in third order (6.8M).
    """
    if scales not in (1, 4):
        raise ValueError(f"scales must be 1 or 4, got {scales}")
    sizes = supports(scales, kernel_sizes)
    blocks = [
        Block(
            width,
            scales_of_layer(i + 1, 4) if scales == 4 else (1.0,),
            sizes[i],
            stride=4 if i == 0 else 1,
            # NiN's first layer has 11 taps and no padding: larger ones leave the same map.
            padding=max(0, (sizes[0] - 11) // 2) if i == 0 else "same",
            cccp=i < 3,
            pool=i < 3,
            dropout=dropout if i == 2 else 0.0,
        )
        for i, width in enumerate(IMAGENET_WIDTHS)
    ]
    shared = Basis(order, basis, norm, init, way)
    return assemble(blocks, shared, num_classes, in_channels, input_scale)


def supports(scales: int, kernel_sizes: Sequence[int] | None) -> Sequence[int]:
    """Return the supports of the four layers of `rfnin`, given or by default.

    Raises
    ------
    ValueError
        If there are not four.
    """
    sizes = kernel_sizes or (FIXED_KERNELS if scales == 4 else (7, 7, 7, 7))
    _check_length("kernel_sizes", sizes, 4)
    return sizes


def rfnin_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    order: int = 3,
    scales: Sequence[int] = (3, 2, 1),
    kernel_sizes: Sequence[int] = (9, 7, 5),
    width: int = 192,
    norm: Norm = "scale",
    init: str = "msra",
    dropout: float = 0.5,
    input_scale: float = 4.0,
    way: str = "repeatable",
) -> Nin:
    """Build the RFNiN of Table 3: a block less, all widths 192, no stride.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the 32x32 image.
    order : int
        Highest order of the derivatives.
    scales : sequence of three int
        Dyadic scales per layer. The thesis does not state them; 3, 2, 1 is its discard rule.
    kernel_sizes : sequence of three int
        Supports.
    width : int
        Channels of every 1x1 layer.
    norm, init, way : str
        See `Basis`.
    dropout : float
        Probability after each pooling, as in NiN for CIFAR.
    input_scale : float
        See `nin_cifar`.

    Returns
    -------
    Nin
        1,161,802 parameters with 10 classes; 1.83M with scales 4, 3, 2 and .82M with 1, 1, 1.
    """
    _check_length("scales", scales, 3)
    _check_length("kernel_sizes", kernel_sizes, 3)
    blocks = [
        Block(
            width,
            dyadic_sigmas(scales[i]),
            kernel_sizes[i],
            cccp=i < 2,
            pool=i < 2,
            dropout=dropout if i < 2 else 0.0,
        )
        for i in range(3)
    ]
    shared = Basis(order, norm=norm, init=init, way=way)
    return assemble(blocks, shared, num_classes, in_channels, input_scale)


def rfnin_v2(
    num_classes: int = 1000,
    in_channels: int = 3,
    order: int = 3,
    widths: Sequence[int] = (128, 128, 384, 512, 1000),
    kernel_sizes: Sequence[int] = (*FIXED_KERNELS, 5),
    batch_norm: bool = False,
    last_cccp: bool = False,
    norm: Norm = "scale",
    init: str = "msra",
    dropout: float = 0.5,
    input_scale: float = 255.0,
    way: str = "repeatable",
) -> Nin:
    """Build RFNiN-v2 (Table 4), or the released batch-norm net that extends it.

    Strides are 2 and 2 in the first two layers; pooling follows the second to fourth. After the
    last alphas there is dropout and no ReLU.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image (224x224; maps 107, 53, 26, 13, 6).
    order : int
        Highest order of the derivatives: 3 in the thesis, 4 in the released net.
    widths : sequence of five int
        Channels of the alphas; the released net ends with 1024.
    kernel_sizes : sequence of five int
        Supports.
    batch_norm : bool
        Normalise after each pooling, without learned scale and shift.
    last_cccp : bool
        One more 1x1 layer before the classes, as in the released net.
    norm, init, way : str
        See `Basis`.
    dropout : float
        Probability after the last alphas.
    input_scale : float
        See `PixelRange`.

    Returns
    -------
    Nin
        9,923,088 parameters by default (10M); 15,469,032 as released with batch norm.
    """
    _check_length("widths", widths, 5)
    _check_length("kernel_sizes", kernel_sizes, 5)
    paddings: tuple[int | str, ...] = (0, 3, "same", "same", "same")
    blocks = [
        Block(
            widths[i],
            scales_of_layer(min(i + 1, 4), 4),
            kernel_sizes[i],
            stride=2 if i < 2 else 1,
            padding=paddings[i],
            cccp=0 < i < 4,
            pool=0 < i < 4,
            norm=batch_norm and 0 < i < 4,
        )
        for i in range(4)
    ]
    last = Block(widths[4], (1.0,), kernel_sizes[4], cccp=last_cccp, pool=False, dropout=dropout)
    shared = Basis(order, norm=norm, init=init, way=way)
    return assemble([*blocks, last], shared, num_classes, in_channels, input_scale, linear=True)


def _check_length(name: str, values: Sequence[int], count: int) -> None:
    if len(values) != count:
        raise ValueError(f"{name} must have one value per layer ({count}), got {list(values)}")
