"""Models by name, and errors that list what is allowed."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
import torch

from structnets.models import registry
from structnets.models.entries import ENTRIES
from structnets.models.registry import create_model, describe_models, list_models
from structnets.nn import GaussianConv2d


@pytest.mark.parametrize("name", registry.MODEL_NAMES)
def test_every_model_is_built_without_memory(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name)
    assert all(weight.is_meta for weight in model.parameters())
    assert len(ENTRIES[name].input_shape) in (3, 4)


@pytest.mark.parametrize("name", registry.MODEL_NAMES)
def test_every_model_is_in_the_module_it_names(name: str) -> None:
    module, _, attribute = registry.constructor_of(name)[0].partition(":")
    assert callable(getattr(importlib.import_module(module), attribute))


@pytest.mark.parametrize(("options", "order"), [({}, 3), ({"orders": (1, 1, 1)}, 1)])
def test_options_given_win_over_the_entry_s(options: dict[str, Any], order: int) -> None:
    layer = create_model("rfnn_mnist_order3", **options).get_submodule("features.conv2")
    assert isinstance(layer, GaussianConv2d)
    assert layer.basis.order == order


def test_descriptions_are_in_the_order_of_the_entries() -> None:
    rows = describe_models()
    assert [row["name"] for row in rows] == list(ENTRIES)
    assert all(row["collapsed_params"] >= 0 and row["params"] >= 0 for row in rows)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("cnn*", ["cnn_b", "cnn_b_5x5"]),
        ("scatter?ng", ["scattering"]),
        ("RFNN*", []),
        ("*", sorted(registry.MODEL_NAMES)),
    ],
)
def test_names_by_pattern(pattern: str, names: list[str]) -> None:
    assert list_models(pattern) == names


def test_unknown_model_lists_the_known_ones() -> None:
    listed = re.escape(", ".join(list_models()))
    with pytest.raises(ValueError, match=f"unknown model 'vgg'; allowed: {listed}"):
        create_model("vgg")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("rfnn_mnist", "num_classes, image_size, orders, sigmas, scales, kernel_sizes, init, way"),
        ("cnn_b", "num_classes, image_size, kernel_sizes"),
        ("scattering", "num_classes, image_size, scale, angles, max_order"),
    ],
)
def test_unknown_option_lists_the_allowed_ones(name: str, allowed: str) -> None:
    message = f"unknown option 'breadth' of model '{name}'; allowed: {allowed}"
    with pytest.raises(ValueError, match=message):
        create_model(name, breadth=3)
