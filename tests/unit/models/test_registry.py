"""Models by name, and errors that list what is allowed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from structnets.models import create_model, describe_models, list_models, registry
from structnets.models.entries import ENTRIES
from structnets.nn import GaussianConv2d


@pytest.mark.parametrize("name", tuple(ENTRIES))
def test_every_model_is_built_without_memory(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name)
    assert all(weight.is_meta for weight in model.parameters())
    assert len(ENTRIES[name].input_shape) in (3, 4)


@pytest.mark.parametrize("name", tuple(ENTRIES))
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
        ("*", sorted(tuple(ENTRIES))),
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
        (
            "rfnn_mnist",
            "num_classes, image_size, orders, sigmas, scales, kernel_sizes, init, way, in_channels",
        ),
        ("cnn_b", "num_classes, image_size, kernel_sizes, in_channels"),
        ("scattering", "num_classes, image_size, scale, angles, max_order, in_channels"),
    ],
)
def test_unknown_option_lists_the_allowed_ones(name: str, allowed: str) -> None:
    message = f"unknown option 'breadth' of model '{name}'; allowed: {allowed}"
    with pytest.raises(ValueError, match=message):
        create_model(name, breadth=3)


@pytest.fixture
def own_nets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> str:
    """Put a module with nets on Python's path; its name is returned."""
    name = f"own_nets_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(
        "from torch import nn\n"
        "from structnets.models.entries import ModelEntry\n"
        "class Fixed(nn.Linear):\n"
        "    def __init__(self, in_channels=3):\n"
        "        super().__init__(in_channels, 4)\n"
        "class Base(nn.Linear):\n"
        "    def __init__(self, num_classes=10, in_channels=3):\n"
        "        super().__init__(in_channels, num_classes)\n"
        "class Inherits(Base): ...\n"
        "def any_option(**options):\n"
        "    return Base(**options)\n"
        "def no_net(num_classes):\n"
        "    return {}\n"
        f"WIDE = ModelEntry('{name}:Base', 'wide', options=(('in_channels', 7),))\n"
        "NUMBER = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize(
    ("attribute", "decided"),
    [
        ("Base", {"num_classes": 5, "in_channels": 1}),
        ("Inherits", {"num_classes": 5, "in_channels": 1}),
        ("any_option", {"num_classes": 5}),
        ("Fixed", {"in_channels": 1}),
        ("WIDE", {"num_classes": 5, "in_channels": 1}),
    ],
)
def test_models_outside_get_from_the_data_what_they_take(
    own_nets: str, attribute: str, decided: dict[str, int]
) -> None:
    name = f"{own_nets}:{attribute}"
    assert registry.data_options(name, 5, (1, 8, 8)) == decided
    with torch.device("meta"):
        layer = create_model(name, **decided)
    assert isinstance(layer, nn.Linear)
    assert layer.in_features == decided.get("in_channels", 3)
    assert registry.takes_classes(name) == ("num_classes" in decided)


@pytest.mark.parametrize("name", ["dynresnet", "structnets.models.boundary:DynResNet"])
def test_no_data_set_decides_how_many_maps_a_boundary_detector_has(name: str) -> None:
    assert not registry.takes_classes(name)
    assert registry.data_options(name, 2, (3, 321, 481)) == {"in_channels": 3}


def test_an_entry_outside_brings_its_options(own_nets: str) -> None:
    layer = create_model(f"{own_nets}:WIDE")
    assert isinstance(layer, nn.Linear)
    assert layer.in_features == 7
    assert registry.constructor_of(f"{own_nets}:WIDE") == (f"{own_nets}:WIDE", {})


def test_what_is_no_model_is_refused(own_nets: str) -> None:
    with pytest.raises(ValueError, match="made dict, not a torch module"):
        create_model(f"{own_nets}:no_net", num_classes=3)
    with pytest.raises(ValueError, match="NUMBER is nothing that can be called"):
        create_model(f"{own_nets}:NUMBER")
    with pytest.raises(ValueError, match=r"unknown option 'width' .*; allowed: in_channels"):
        create_model(f"{own_nets}:Fixed", width=3)


def test_registered_models(own_nets: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.MODELS, "_registered", {})
    registry.register_model("own_net", importlib.import_module(own_nets).Base)
    registry.register_model("wide_net", f"{own_nets}:Base", options={"in_channels": 9})
    assert {"own_net", "wide_net"} <= set(list_models("*_net"))
    layer = create_model("wide_net", num_classes=2)
    assert isinstance(layer, nn.Linear)
    assert (layer.in_features, layer.out_features) == (9, 2)
    assert {row["name"]: row["params"] for row in describe_models()}["own_net"] == 40
    with pytest.raises(ValueError, match="there is a model called 'cnn_b'"):
        registry.register_model("cnn_b", f"{own_nets}:Base")
    with pytest.raises(ValueError, match="not a class or function at the top of a module"):
        registry.register_model("local", lambda num_classes: nn.Linear(1, num_classes))
