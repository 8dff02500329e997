"""Models of chapter 4: nets that learn in frames, and dynamic steerable ones."""

from __future__ import annotations

from structnets.models.entries.entry import ModelEntry

_RESNET = "structnets.models.resnet:ResNet"
_DENSENET = "structnets.models.densenet:DenseNet"
_COUNT = "option frame: pixel, gaussian, framelet, image, naive or gauss15"

_BOUNDARY = "structnets.models.boundary:DynResNet"
_PHOTO, _BLOB = (3, 321, 481), (1, 64, 64)


def _resnet(depth: int, block: str, note: str) -> ModelEntry:
    return ModelEntry(_RESNET, note, chapter=4, options=(("depth", depth), ("block", block)))


ENTRIES = {
    "resnet20": _resnet(20, "basic", f"shallow member of Table 6's family; {_COUNT}"),
    "resnet56": _resnet(56, "basic", "named in the text of section 4.4.1, absent from Table 6"),
    "resnet110": _resnet(110, "basic", f"Table 6; {_COUNT}"),
    "resnet164": _resnet(
        164, "bottleneck", "Table 6; with bottlenecks as in He et al. 2016, the text says without"
    ),
    "densenet40": ModelEntry(
        _DENSENET, f"Table 6; plain, K = 12; {_COUNT}", chapter=4, options=(("depth", 40),)
    ),
    "densenet100": ModelEntry(
        _DENSENET, f"Table 6; plain, K = 12; {_COUNT}", chapter=4, options=(("depth", 100),)
    ),
    "dynresnet": ModelEntry(
        _BOUNDARY,
        "Figure 11; details are ours, the appendix is not to be had",
        chapter=4,
        input_shape=_PHOTO,
        maps=True,
    ),
    "dynresnet_static": ModelEntry(
        _BOUNDARY,
        "Figure 11, ResNet (Ours-Static): static blocks of as many parameters",
        chapter=4,
        input_shape=_PHOTO,
        maps=True,
        options=(("dynamic", False),),
    ),
    "hnet": ModelEntry(
        "structnets.models.hnet:HNet",
        "Figure 11; the released net without the weights it declares and never uses",
        chapter=4,
        input_shape=_PHOTO,
        maps=True,
    ),
    "dynamic_block": ModelEntry(
        "structnets.models.blobs:SingleDynamicBlock",
        "Figure 10, our sizes",
        chapter=4,
        input_shape=_BLOB,
        maps=True,
    ),
    "dynamic_block_literal": ModelEntry(
        "structnets.models.blob_controls:literal_block",
        "Figure 10 by the letter: three tanh layers estimate one angle",
        chapter=4,
        input_shape=_BLOB,
        maps=True,
    ),
    "small_fcn_5": ModelEntry(
        "structnets.models.blob_controls:small_fcn",
        "Figure 10, baseline with as many filters as served best on training textures",
        chapter=4,
        input_shape=_BLOB,
        maps=True,
    ),
    "small_fcn": ModelEntry(
        "structnets.models.blobs:SmallFCN",
        "Figure 10, baseline of the same size",
        chapter=4,
        input_shape=_BLOB,
        maps=True,
    ),
}
