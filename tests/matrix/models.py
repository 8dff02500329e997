"""One model of every family, small, for the uses that people put whole nets to."""

from __future__ import annotations

from torch import nn

import structnets
from tests.matrix.layers import Layer


def _model(name: str, shape: tuple[int, ...], normed: bool = True, **options: object) -> Layer:
    def build() -> nn.Module:
        return structnets.create_model(name, **options)

    return Layer(build, shape, normed=normed)


MODELS: dict[str, Layer] = {
    "rfnn_mnist": _model("rfnn_mnist", (1, 28, 28)),
    "cnn_b": _model("cnn_b", (1, 28, 28)),
    "rfnin_cifar": _model("rfnin_cifar", (3, 32, 32)),
    "rfnin_3d_small": _model("rfnin_3d_small", (1, 16, 16, 16), num_classes=2),
    "nin_3d_small": _model("nin_3d_small", (1, 16, 16, 16), num_classes=2),
    "dynamic_block": _model("dynamic_block", (1, 24, 24)),
    "resnet20": _model("resnet20", (3, 16, 16), depth=8, frame="image"),
    "hnet": _model("hnet", (3, 16, 16), width=0.3),
    "hcnn": _model("hcnn", (3, 8, 8)),
    "irevnet_cifar_bijective": _model("irevnet_cifar_bijective", (3, 16, 16), blocks=(1, 1, 1)),
}
MODEL_USES = (
    "float32",
    "autocast",
    "inference_mode, then training",
    "meta, to_empty, load",
    "on meta",
    "state_dict, safetensors",
    "functional_call",
    "vmap of grad",
    "batch of 1",
)
