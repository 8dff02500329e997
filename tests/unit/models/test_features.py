"""Models without their classes, and the list of models without a package."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch

from structnets.models import create_model, describe_models, description, forward_features

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


def test_a_model_without_a_layer_of_classes_is_named() -> None:
    with pytest.raises(ValueError, match="not in a layer of classes that can be left out"):
        create_model("hcnn", num_classes=0)


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
