"""ResNet-50 equals torchvision's, weight for weight."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import resnet50

from structnets.models.resnet50 import ResNet50


def test_logits_equal_torchvision_s() -> None:
    torch.manual_seed(0)
    ours, theirs = ResNet50(num_classes=5).eval(), resnet50(num_classes=5).eval()
    own, given = ours.state_dict(), theirs.state_dict()
    # Theirs lists a unit's shortcut after its convolutions, as ours does.
    assert [value.shape for value in own.values()] == [value.shape for value in given.values()]
    ours.load_state_dict(dict(zip(own, given.values(), strict=True)))
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


def test_narrow_nets_are_small() -> None:
    model = ResNet50(num_classes=10, in_channels=1, units=(1, 2), width=8)
    assert model(torch.rand(2, 1, 32, 32)).shape == (2, 10)
    assert sum(weight.numel() for weight in model.parameters()) < 20_000


@pytest.mark.parametrize("options", [{"units": (1, 0)}, {"units": ()}, {"width": 0}])
def test_bad_sizes_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=r"units and width must be >= 1, got units"):
        ResNet50(**options)
