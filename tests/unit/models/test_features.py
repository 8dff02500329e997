"""Models without their classes, and the list of models without a package."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch
from torch import Tensor

from structnets.models import create_model, describe_models, description, forward_features
from structnets.models.entries import ENTRIES
from structnets.models.features import without_classes
from structnets.models.irevnet import IRevNet

SHAPES = {
    "rfnn_mnist": (1, 28, 28),
    "rfnin_cifar": (3, 32, 32),
    "resnet20": (3, 32, 32),
    "rfnin_3d_small": (1, 16, 16, 16),
}


@pytest.mark.parametrize("name", SHAPES)
def test_features_are_what_the_classes_see(name: str) -> None:
    torch.manual_seed(0)
    whole = create_model(name).eval()
    torch.manual_seed(0)
    features = create_model(name, num_classes=0).eval()
    x = torch.rand(2, *SHAPES[name])
    with torch.no_grad():
        found, seen = features(x), forward_features(whole, x)
    if seen.ndim == 4:  # ends in the mean of maps
        seen = torch.relu(seen).mean((2, 3))
    torch.testing.assert_close(found, seen)


# One name of each constructor: its options, not the names', decide what is tested here.
KINDS = list({entry.constructor: name for name, entry in ENTRIES.items()}.values())
WITHOUT_FEATURES = {
    "hnet": "has no features apart from them",
    "dynamic_block": "answers with the steered gradient itself",
    "dynamic_block_literal": "answers with the steered gradient itself",
}


def on_meta(name: str, **options: int) -> torch.nn.Module:
    if ENTRIES[name].constructor.endswith("ScatteringFeatures"):
        return create_model(name, **options)  # Kymatio computes filters by NumPy
    with torch.device("meta"):
        return create_model(name, **options)


def images(name: str, model: torch.nn.Module, channels: int) -> Tensor:
    size = ENTRIES[name].input_shape[1:]
    device = next((p.device for p in model.parameters()), "cpu")
    return torch.zeros(2, channels, *size, device=device)


@pytest.mark.parametrize("name", KINDS)
def test_every_model_takes_numbers_of_classes_and_channels(name: str) -> None:
    model = on_meta(name, num_classes=4, in_channels=2).eval()
    out = model(images(name, model, 2))
    if not list(model.parameters()):
        assert out.shape[0] == 2  # features, which no classes change
    elif ENTRIES[name].maps:
        assert out.shape == (2, 4, *ENTRIES[name].input_shape[1:])
    else:
        assert out.shape == (2, 4)


@pytest.mark.parametrize("name", KINDS)
def test_every_model_gives_features_or_says_why_not(name: str) -> None:
    if name in WITHOUT_FEATURES:
        for ask in (
            lambda: create_model(name, num_classes=0),
            lambda: forward_features(create_model(name), torch.zeros(1, 3, 32, 32)),
        ):
            with pytest.raises(ValueError, match=WITHOUT_FEATURES[name]):
                ask()
        return
    whole, features = on_meta(name).eval(), on_meta(name, num_classes=0).eval()
    x = images(name, whole, ENTRIES[name].input_shape[0])
    found, seen = features(x), forward_features(whole, x)
    assert found.shape[0] == seen.shape[0] == 2
    width = -1 if name.startswith("hcnn") else 1
    assert found.shape[1] == seen.shape[width]
    if not ENTRIES[name].maps:
        assert found.ndim == 2


@pytest.mark.parametrize(
    ("name", "side", "outputs"),
    [("dynresnet", 16, 2), ("hnet", 16, 2 * 6), ("dynamic_block", 24, 2), ("small_fcn", 24, 2)],
)
def test_maps_of_a_boundary_detector_are_its_classes(name: str, side: int, outputs: int) -> None:
    torch.manual_seed(0)
    model = create_model(name, num_classes=2, in_channels=2)
    out = model(torch.randn(2, 2, side, side))
    assert out.shape == (2, outputs, side, side)
    out[:, 0].square().mean().backward()  # targets tell maps apart, where their weights begin equal
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.1 * (0 if p.grad is None else p.grad)
    out = model.eval()(torch.randn(2, 2, side, side))
    assert (out[:, 0] - out[:, 1]).abs().max() > 1e-4


def test_scattering_transforms_every_channel() -> None:
    colour = create_model("scattering", in_channels=3)
    grey = create_model("scattering")
    x = torch.rand(2, 3, 28, 28)
    expected = torch.cat([grey(x[:, i : i + 1]) for i in range(3)], 1)
    torch.testing.assert_close(colour(x), expected)
    with pytest.raises(ValueError, match=r"images must have shape \(B, 1, H, W\), got \(2, 3"):
        grey(x)
    with pytest.raises(ValueError, match="input must have 1 channels, got 3"):
        create_model("standardized_voxels", in_channels=1)(x)


@pytest.mark.parametrize("reading", ["paper", "released"])
def test_features_of_attributes_are_what_the_classes_see(reading: str) -> None:
    nets = []
    for options in ({"num_classes": 0}, {}):
        torch.manual_seed(0)
        net = create_model("hcnn", values=4, terms=3, support=(3, 3), reading=reading, **options)
        nets.append(net.eval())
    features, whole = nets
    x = torch.rand(2, 3, 8, 8)
    found, seen = features(x), forward_features(whole, x)
    if reading == "paper":
        seen = seen.flatten(1, -2).mean(1)
    else:
        torch.testing.assert_close(whole.get_submodule("head.linear")(found), whole(x))
    torch.testing.assert_close(found, seen)


def test_an_irevnet_of_other_channels_is_bijective() -> None:
    grey = create_model("irevnet_cifar_bijective", in_channels=1, blocks=(1, 1, 1)).eval()
    x = torch.rand(2, 1, 16, 16)
    assert isinstance(grey, IRevNet)
    torch.testing.assert_close(grey.inverse(grey.encode(x)), x, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": -1}, "num_classes must be a whole number >= 0, got -1"),
        ({"num_classes": True}, "num_classes must be a whole number >= 0, got True"),
        ({"in_channels": 0}, "in_channels must be a whole number >= 1, got 0"),
        ({"num_classes": 2.5}, "num_classes must be a whole number >= 0, got 2.5"),
    ],
)
def test_numbers_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create_model("resnet20", **options)


def test_a_layer_that_cannot_be_left_out_is_named() -> None:
    with pytest.raises(ValueError, match="ends in PReLU, not in a layer of classes"):
        without_classes(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.PReLU()))


def test_near_options_are_suggested() -> None:
    with pytest.raises(ValueError, match=r"'num_clases' .*did you mean num_classes"):
        create_model("rfnin_cifar", num_clases=3)


def test_models_are_listed_without_kymatio(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("kymatio"):
            raise ModuleNotFoundError("No module named 'kymatio'", name="kymatio")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(description.MODELS, "names", lambda: ["scattering", "rfnn_mnist"])
    rows = {row["name"]: row for row in describe_models()}
    assert rows["scattering"]["params"] is None
    assert rows["scattering"]["note"].startswith("needs kymatio, which is not installed")
    assert rows["rfnn_mnist"]["params"] > 0
