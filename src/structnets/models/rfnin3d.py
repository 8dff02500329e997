"""The nets for brain volumes (thesis section 3.4.4, Table 5): 3D-RFNiN and a 3D-NiN of its size.

Three blocks of convolution, ReLU, one more 1x1 convolution, ReLU and max-pooling 2; then the mean
over the map and a linear layer. The thesis prints the widths, the scales and the order; pooling,
atoms per block and the NiN's kernels are our reading.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from structnets.nn._mix_and_pool import MixAndPool
from structnets.nn._modes import as_autocast, needs_plain_operations, without_autocast
from structnets.nn._volume_convolution import VolumeConvolution
from structnets.nn.gaussian_conv3d import GaussianConv3d

WIDTHS = (128, 96, 96)
# The voxels in which its scales are read; the thesis states none.
THESIS_VOXEL_MM = 2.0


class VolumeBlock(nn.Module):
    """Convolution, ReLU, one more 1x1 convolution, ReLU and max-pooling 2.

    Pooling stands before the second ReLU, which is equal and cheaper. On a processor all that
    follows the convolution is one pass over the volume (`structnets.nn._mix_and_pool`).

    Parameters
    ----------
    convolution : module
        With `width` outputs.
    width : int
        Channels of the block.
    """

    def __init__(self, convolution: nn.Module, width: int) -> None:
        super().__init__()
        self.conv = convolution
        self.cccp = _initialized(nn.Conv3d(width, width, 1))

    def forward(self, *x: Tensor) -> Tensor:
        """Compute the maps of volumes (B, C, D, H, W), or of B volumes' responses, one by one."""
        weight, bias = self.cccp.weight.flatten(1), self.cccp.bias
        fixed = x[0].ndim == 4
        if x[0].device.type != "cpu" or needs_plain_operations(x[0]):
            maps = self._mixed(torch.stack(x)) if fixed else self.conv(*x)
            return functional.max_pool3d(self.cccp(maps.relu_()), 2).relu_()
        if fixed:
            assert isinstance(self.conv, GaussianConv3d)
            first = self.conv.response_weights(x[0].shape[1:])
            maps = MixAndPool.apply(x, first, self.conv.bias, weight, bias)
        else:
            mixed = self.conv(*x).to(weight.dtype)
            with without_autocast(mixed.device.type):
                maps = MixAndPool.apply(mixed, None, None, weight, bias)
        assert isinstance(maps, Tensor)
        return as_autocast(maps)

    def _mixed(self, responses: Tensor) -> Tensor:
        assert isinstance(self.conv, GaussianConv3d)
        weights = self.conv.response_weights(responses.shape[2:])
        return functional.conv3d(responses, weights[..., None, None, None], self.conv.bias)


class VolumeNet(nn.Module):
    """The skeleton around three convolutions.

    Parameters
    ----------
    convolutions : sequence of module
        From the volume's channels through `widths`.
    widths : sequence of int
        Channels of each block.
    num_classes : int
        Outputs.
    recompute : bool
        Keep only the blocks' outputs and compute them a second time in the backward pass.
    """

    def __init__(
        self,
        convolutions: Sequence[nn.Module],
        widths: Sequence[int],
        num_classes: int,
        recompute: bool,
    ) -> None:
        super().__init__()
        self.recompute = recompute
        pairs = enumerate(zip(convolutions, widths, strict=True), 1)
        self.features = nn.Sequential(
            OrderedDict((f"block{i}", VolumeBlock(layer, width)) for i, (layer, width) in pairs)
        )
        self.head = nn.Linear(widths[-1], num_classes)

    def forward(self, x: Tensor | Sequence[Tensor]) -> Tensor:
        """Classify volumes.

        Parameters
        ----------
        x : Tensor, shape (B, C, D, H, W), or sequence of B Tensor
            Volumes, normalised; or what `fixed_stage` returned for each of them.

        Returns
        -------
        Tensor, shape (B, classes)
            Logits.
        """
        first, *others = self.features
        maps = self._run(first, *([x] if isinstance(x, Tensor) else x))
        for block in others:
            maps = self._run(block, maps)
        return self.head(maps.mean((2, 3, 4)))

    def fixed_stage(self, x: Tensor) -> list[Tensor] | None:
        """Return what no weight changes: the first layer's basis responses to each volume.

        A training can compute it once per volume and keep it, unless volumes are augmented
        (`structnets.training.fixed_stage`).

        Parameters
        ----------
        x : Tensor, shape (B, C, D, H, W)
            Volumes.

        Returns
        -------
        list of B Tensor, shape (atoms * C, D, H, W), or None
            None if the first layer has no such part, or answers on coarse grids.
        """
        layer = self.features.get_submodule("block1.conv")
        if not isinstance(layer, GaussianConv3d) or layer.coarse is not None:
            return None
        return list(layer.responses(x)[0])

    def _run(self, block: nn.Module, *inputs: Tensor) -> Tensor:
        if self.recompute and self.training:
            maps = checkpoint(block, *inputs, use_reentrant=False)
            assert isinstance(maps, Tensor)
            return maps
        return block(*inputs)


def rfnin_3d(
    num_classes: int = 2,
    in_channels: int = 1,
    order: int = 3,
    sigmas: Sequence[float] = (1.0, 4.0, 16.0),
    scales: Sequence[int] = (3, 2, 1),
    widths: Sequence[int] = WIDTHS,
    width: float = 1.0,
    voxel_mm: float = THESIS_VOXEL_MM,
    support: float = 3.0,
    coarse: float | None = None,
    recompute: bool = False,
) -> VolumeNet:
    """Build the 3D-RFNiN of Table 5.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the volume (91x109x91 voxels of 2 mm; the thesis states none).
    order : int
        Highest order of the derivatives.
    sigmas : sequence of float
        Scales in voxels of 2 mm.
    scales : sequence of three int
        How many of them each block keeps, the smallest first. 3, 2, 1 (58, 39, 20 atoms) follows
        the 2-D nets, which drop the largest; 3, 3, 3 has 58 throughout. The thesis is silent.
    widths : sequence of three int
        Channels of the blocks.
    width : float
        Multiplies the widths.
    voxel_mm : float
        Side of a voxel: scales become ``sigma * 2 / voxel_mm`` voxels, none below 1, under which
        a derivative cannot be sampled (4 mm: 1, 2, 8).
    support : float
        Radius of the filters in units of the largest scale.
    coarse : float, optional
        See `GaussianConv3d`; take a support of 5 with it.
    recompute : bool
        See `VolumeNet`.

    Returns
    -------
    VolumeNet
        706,626 parameters; 1,290,306 with 58 atoms throughout.
    """
    channels = _widths(widths, width)
    if len(scales) != 3 or not all(1 <= n <= len(sigmas) for n in scales):
        raise ValueError(
            f"scales must be three numbers from 1 to {len(sigmas)}, got {list(scales)}"
        )
    if not voxel_mm > 0:
        raise ValueError(f"voxel_mm must be > 0, got {voxel_mm}")
    scaled = [max(1.0, sigma * THESIS_VOXEL_MM / voxel_mm) for sigma in sigmas]
    if len(set(scaled)) < len(scaled):
        raise ValueError(
            f"voxel_mm {voxel_mm:g} leaves equal scales: {scaled}; give sparser sigmas"
        )
    convolutions = [
        GaussianConv3d(
            inputs,
            outputs,
            order=order,
            sigmas=scaled[:count],
            kernel_size=2 * math.ceil(support * scaled[count - 1]) + 1,
            coarse=coarse,
        )
        for inputs, outputs, count in zip(
            (in_channels, *channels[:2]), channels, scales, strict=True
        )
    ]
    return VolumeNet(convolutions, channels, num_classes, recompute)


def nin_3d(
    num_classes: int = 2,
    in_channels: int = 1,
    kernel_size: int = 5,
    widths: Sequence[int] = WIDTHS,
    width: float = 1.0,
    recompute: bool = False,
) -> VolumeNet:
    """Build the plain net of section 3.4.4: "the same 3 layer NiN as our RFNiN model".

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the volume.
    kernel_size : int
        Odd filter width; the thesis does not print it.
    widths, width, recompute
        See `rfnin_3d`.
    """
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
    channels = _widths(widths, width)
    convolutions = [
        _initialized(VolumeConvolution(inputs, outputs, kernel_size, padding=kernel_size // 2))
        for inputs, outputs in zip((in_channels, *channels[:2]), channels, strict=True)
    ]
    return VolumeNet(convolutions, channels, num_classes, recompute)


def _widths(widths: Sequence[int], factor: float) -> list[int]:
    """Return the channels of the blocks."""
    if len(widths) != 3:
        raise ValueError(f"widths must have one value per block (3), got {list(widths)}")
    if not factor > 0:
        raise ValueError(f"width must be > 0, got {factor}")
    return [max(1, round(channels * factor)) for channels in widths]


def _initialized(layer: nn.Conv3d) -> nn.Conv3d:
    """Give a convolution He et al.'s weights and a zero bias."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
