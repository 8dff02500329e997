"""Models of chapter 6: invertible networks and what they are compared with."""

from __future__ import annotations

from typing import Any

from structnets.models.entries.entry import Entry

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
    channels=(24, 96, 384, 1536),
    init_ds=2,
)
_RELEASED = _options(
    blocks=(18, 18, 18), strides=(1, 2, 2), channels=(16, 64, 256), init_ds=1, dropout=0.1
)
ENTRIES = {
    "irevnet_a": Entry(
        _IREVNET,
        6,
        _IMAGENET,
        "181M",
        "Table 9; injective, 1-3-1 blocks of the text: no reading reproduces 181M",
        _A,
    ),
    "irevnet_a_333": Entry(
        _IREVNET,
        6,
        _IMAGENET,
        "181M",
        "Table 9; injective, 3-3-3 blocks of the released code: no reading reproduces 181M",
        (*_A, ("kernels", "333")),
    ),
    "irevnet_b": Entry(
        _IREVNET, 6, _IMAGENET, "29M", "Table 9; bijective, 1-3-1 blocks of the text", _B
    ),
    "irevnet_b_333": Entry(
        _IREVNET,
        6,
        _IMAGENET,
        note="bijective, 3-3-3 blocks of the released code",
        options=(*_B, ("kernels", "333")),
    ),
    "irevnet_cifar": Entry(
        _IREVNET,
        6,
        note="injective; the released code's CIFAR net (3-3-3 blocks, dropout 0.1)",
        options=(*_RELEASED, ("kernels", "333")),
    ),
    "irevnet_cifar_131": Entry(
        _IREVNET, 6, note="injective CIFAR net with 1-3-1 blocks", options=_RELEASED
    ),
    "irevnet_cifar_bijective": Entry(
        _IREVNET, 6, note="Figures 19 to 22; the bijective CIFAR net, 1-3-1 blocks"
    ),
    "irevnet_cifar_bijective_333": Entry(
        _IREVNET,
        6,
        note="bijective CIFAR net with 3-3-3 blocks",
        options=(("kernels", "333"),),
    ),
    "revnet56": Entry(
        "structnets.models.revnet:RevNet", 6, _IMAGENET, "28M", "Table 9; Gomez et al.'s release"
    ),
    "resnet50": Entry(
        "structnets.models.resnet50:ResNet50", 6, _IMAGENET, "26M", "Table 9; He et al."
    ),
}
