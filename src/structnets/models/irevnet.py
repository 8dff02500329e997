"""The i-RevNet (thesis chapter 6): a classifier whose features determine the image.

The image is down-sampled, perhaps padded with zero channels, and split into two streams; blocks
of Eq. 39 transform them; the merged streams are the features. Everything so far has an inverse.
Batch norm, ReLU, spatial average and a linear layer turn features into logits.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from structnets.nn.bottleneck import Bottleneck
from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.invertible_sequential import InvertibleSequential
from structnets.nn.space_to_depth import SpaceToDepth
from structnets.nn.streams import InjectivePad, MergeStreams, SplitChannels


class IRevNet(nn.Module):
    """Invertible network; see `irevnet` for the parameters.

    Attributes
    ----------
    features : InvertibleSequential
        Image to features: down-sampling, padding, split, blocks, merge.
    configuration : dict
        What a checkpoint must agree with.
    """

    def __init__(
        self, features: InvertibleSequential, width: int, num_classes: int, stride: int,
        configuration: dict[str, Any],
    ) -> None:  # fmt: skip
        super().__init__()
        self.features, self.stride, self.configuration = features, stride, configuration
        self.norm = nn.BatchNorm2d(width, momentum=0.9)
        self.head = nn.Linear(width, num_classes)

    @property
    def blocks(self) -> list[InvertibleBlock]:
        """The blocks of Eq. 39 in order."""
        return [module for module in self.features if isinstance(module, InvertibleBlock)]

    @property
    def is_bijective(self) -> bool:
        """Whether every feature map has an image (no zero channels were appended)."""
        return not any(isinstance(module, InjectivePad) for module in self.features)

    def encode(self, x: Tensor) -> Tensor:
        """Return the features of the last block.

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
            Images whose sides are multiples of ``stride``.

        Returns
        -------
        Tensor, shape (B, width, H / stride, W / stride)
            As many numbers as the image has, unless channels were appended.
        """
        check_image_size(x.shape[-2:], self.stride)
        return self.features(x)

    def inverse(self, features: Tensor) -> Tensor:
        """Return the images (B, C, H, W) whose features are given; eval mode only."""
        return self.features.inverse(features)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images (B, C, H, W); returns logits (B, num_classes)."""
        maps = functional.relu(self.norm(self.encode(x)))
        return self.head(maps.mean((2, 3)))

    def state_dict(self, *args: Any, **options: Any) -> Any:
        """Return the weights; the configuration goes with their metadata."""
        state = super().state_dict(*args, **options)
        prefix = options.get("prefix", args[1] if len(args) > 1 else "")
        state._metadata[prefix[:-1]]["configuration"] = dict(self.configuration)
        return state

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        # Files of the first edition keep the configuration beside the tensors.
        kept = state_dict.pop(f"{prefix}_extra_state", local_metadata.get("configuration"))
        if kept is not None:
            self._check_configuration(kept)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check_configuration(self, state: Any) -> None:
        """Refuse weights of another configuration.

        Raises
        ------
        ValueError
            Naming what differs.
        """
        differing = [key for key, own in self.configuration.items() if state.get(key) != own]
        if differing:
            shown = "; ".join(
                f"{key} {state.get(key)!r}, this net has {self.configuration[key]!r}"
                for key in differing
            )
            raise ValueError(f"the checkpoint is of another i-RevNet: {shown}")


def irevnet(
    num_classes: int = 10,
    in_channels: int = 3,
    image_size: int | None = None,
    blocks: Sequence[int] = (18, 18, 18),
    strides: Sequence[int] = (2, 2, 2),
    channels: Sequence[int] | None = None,
    init_ds: int = 2,
    kernels: str = "131",
    dropout: float = 0.0,
    reversible: bool = True,
) -> IRevNet:
    """Build an i-RevNet; the defaults are the bijective net for CIFAR.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs and image channels.
    image_size : int, optional
        Width of the square images in pixels, to be checked now rather than at the first image.
    blocks, strides, channels : sequence of int
        Per stage: number of blocks, down-sampling of its first block, channels of a stream; by
        default those of the bijective net (24, 96, 384 for colour images).
    init_ds : int
        Factor by which the image is down-sampled before the split; 1 for none.
    kernels : str
        Filter widths in a block: ``131`` as in the thesis, ``333`` as in the released code.
    dropout : float
        Probability inside the blocks.
    reversible : bool
        Train without storing activations.

    Returns
    -------
    IRevNet
        Injective if the first stage has more channels than the image gives, else bijective.

    Raises
    ------
    ValueError
        If the stages' widths do not follow from the image's channels and the strides.
    """
    arrived = in_channels * init_ds**2
    if channels is None:
        channels = _bijective_channels(arrived, strides)
    _check_stages(blocks, strides, channels)
    stride = init_ds * math.prod(strides)
    if image_size is not None:
        check_image_size((image_size, image_size), stride)
    padding = 2 * channels[0] - arrived * strides[0] ** 2
    _check_widths(arrived, padding, strides, channels)
    if not kernels.isdigit():
        raise ValueError(f"kernels must be three odd widths, got {kernels!r}")
    widths = tuple(int(size) for size in kernels)
    features = InvertibleSequential(
        SpaceToDepth(init_ds),
        *([InjectivePad(padding)] if padding else []),
        SplitChannels(),
        *_chain(blocks, strides, channels, widths, dropout),
        MergeStreams(),
        reversible=reversible,
        stored_first=2 if padding else 0,
    )
    configuration = {
        "in_channels": in_channels, "blocks": list(blocks), "strides": list(strides),
        "channels": list(channels), "init_ds": init_ds, "kernels": kernels,
    }  # fmt: skip
    return IRevNet(features, 2 * channels[-1], num_classes, stride, configuration)


def _chain(
    blocks: Sequence[int],
    strides: Sequence[int],
    channels: Sequence[int],
    kernels: Sequence[int],
    dropout: float,
) -> Iterator[InvertibleBlock]:
    """Build the blocks of all stages; the net's first one has no activation in front."""
    inputs, first = channels[0] // strides[0] ** 2, True
    for count, factor, outputs in zip(blocks, strides, channels, strict=True):
        for step in (factor, *[1] * (count - 1)):
            residual = Bottleneck(inputs, outputs, step, kernels, dropout, activate=not first)
            yield InvertibleBlock(residual, step)
            inputs, first = outputs, False


def check_image_size(size: Sequence[int], stride: int) -> None:
    """Refuse images whose sides the strides do not divide.

    Raises
    ------
    ValueError
        Naming both sides.
    """
    height, width = size
    if height % stride or width % stride:
        raise ValueError(
            f"image sides must be multiples of {stride}, the net's total down-sampling; got "
            f"{height} x {width}: pad or resize the images"
        )


def _bijective_channels(arrived: int, strides: Sequence[int]) -> list[int]:
    """Return the channels of a stream of each stage, for a net that pads nothing."""
    return [arrived * factor**2 // 2 for factor in itertools.accumulate(strides, operator.mul)]


def _check_stages(blocks: Sequence[int], strides: Sequence[int], channels: Sequence[int]) -> None:
    if not len(blocks) == len(strides) == len(channels) >= 1:
        raise ValueError(
            "blocks, strides and channels need one value per stage each, got "
            f"{list(blocks)}, {list(strides)} and {list(channels)}"
        )
    for name, values in (("blocks", blocks), ("strides", strides), ("channels", channels)):
        if min(values) < 1:
            raise ValueError(f"{name} must be >= 1, got {list(values)}")


def _check_widths(
    arrived: int, padding: int, strides: Sequence[int], channels: Sequence[int]
) -> None:
    """Refuse widths that are no permutation of the numbers that arrive."""
    if padding < 0 or (padding and strides[0] != 1):
        raise ValueError(
            f"channels[0] = {channels[0]} does not follow from the image: {arrived} channels and "
            f"strides[0] = {strides[0]} give streams of {arrived * strides[0] ** 2 / 2:g}; wider "
            "ones need strides[0] = 1 (then zero channels are appended)"
        )
    for i in range(1, len(channels)):
        expected = channels[i - 1] * strides[i] ** 2
        if channels[i] != expected:
            raise ValueError(
                f"channels[{i}] must be channels[{i - 1}] strides[{i}]^2 = {expected}, got "
                f"{channels[i]}: an invertible down-sampling moves pixels into channels"
            )
