"""Models of chapter 6: invertible networks and what they are compared with."""

from __future__ import annotations

from typing import Any

from structnets.models.entries.entry import ModelEntry

_IREVNET = "structnets.models.irevnet:irevnet"
_IMAGENET = (3, 224, 224)


def _options(**values: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(values.items())


_A = _options(
    num_classes=1000,
    blocks=(4, 4, 6, 4),
    strides=(1, 2, 2, 2),
    channels=(48, 192, 768, 3072),
    init_ds=4,
)
_B = _options(
    num_classes=1000,
    blocks=(6, 16, 72, 6),
    strides=(2, 2, 2, 2),
    init_ds=2,
)
_RELEASED = _options(
    blocks=(18, 18, 18), strides=(1, 2, 2), channels=(16, 64, 256), init_ds=1, dropout=0.1
)
ENTRIES = {
    "irevnet_a": ModelEntry(
        _IREVNET,
        "Table 9; injective, 1-3-1 blocks of the text: no reading reproduces 181M",
        chapter=6,
        input_shape=_IMAGENET,
        thesis_params="181M",
        options=_A,
    ),
    "irevnet_a_333": ModelEntry(
        _IREVNET,
        "Table 9; injective, 3-3-3 blocks of the released code: no reading reproduces 181M",
        chapter=6,
        input_shape=_IMAGENET,
        thesis_params="181M",
        options=(*_A, ("kernels", "333")),
    ),
    "irevnet_b": ModelEntry(
        _IREVNET,
        "Table 9; bijective, 1-3-1 blocks of the text",
        chapter=6,
        input_shape=_IMAGENET,
        thesis_params="29M",
        options=_B,
    ),
    "irevnet_b_333": ModelEntry(
        _IREVNET,
        "bijective, 3-3-3 blocks of the released code",
        chapter=6,
        input_shape=_IMAGENET,
        options=(*_B, ("kernels", "333")),
    ),
    "irevnet_cifar": ModelEntry(
        _IREVNET,
        "injective; the released code's CIFAR net (3-3-3 blocks, dropout 0.1)",
        chapter=6,
        options=(*_RELEASED, ("kernels", "333")),
    ),
    "irevnet_cifar_131": ModelEntry(
        _IREVNET, "injective CIFAR net with 1-3-1 blocks", chapter=6, options=_RELEASED
    ),
    "irevnet_cifar_bijective": ModelEntry(
        _IREVNET, "Figures 19 to 22; the bijective CIFAR net, 1-3-1 blocks", chapter=6
    ),
    "irevnet_cifar_bijective_333": ModelEntry(
        _IREVNET, "bijective CIFAR net with 3-3-3 blocks", chapter=6, options=(("kernels", "333"),)
    ),
    "revnet56": ModelEntry(
        "structnets.models.revnet:RevNet",
        "Table 9; Gomez et al.'s release",
        chapter=6,
        input_shape=_IMAGENET,
        thesis_params="28M",
    ),
    "resnet50": ModelEntry(
        "structnets.models.resnet50:ResNet50",
        "Table 9; He et al.",
        chapter=6,
        input_shape=_IMAGENET,
        thesis_params="26M",
    ),
}
