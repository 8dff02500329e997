"""RevNet: its invertible units are two blocks of Eq. 39; gradients equal plain autograd."""

from __future__ import annotations

import copy

import pytest
import torch

from structnets.models.revnet import RevNet
from structnets.nn import InvertibleSequential

SMALL = {"num_classes": 3, "units": (2, 3), "channels": (8, 16, 32), "strides": (1, 2)}


def test_gradients_equal_plain_autograd() -> None:
    torch.manual_seed(0)
    model, x = RevNet(**SMALL).double(), torch.randn(4, 3, 32, 32, dtype=torch.float64)
    plain = copy.deepcopy(model)
    for module in plain.modules():
        if isinstance(module, InvertibleSequential):
            module.reversible = False
    for net in (model, plain):
        net(x).square().sum().backward()
    for one, two in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-10, atol=1e-12)


def test_a_unit_is_two_couplings() -> None:
    """Gomez et al.: y1 = x1 + F(x2), y2 = x2 + G(y1)."""
    stage = RevNet(**SMALL).eval().stages[1]
    assert isinstance(stage, InvertibleSequential)
    f, g = (block.residual for block in stage)
    x1, x2 = torch.randn(2, 2, 8, 4, 4)
    y1, y2 = stage((x1, x2))
    torch.testing.assert_close(y1, x1 + f(x2))
    torch.testing.assert_close(y2, x2 + g(y1))


def test_depth_is_56_layers() -> None:
    """Nine units of two times three convolutions, the stem and the linear layer."""
    with torch.device("meta"):
        model = RevNet()
    convolutions = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Conv2d) and "project" not in name
    ]
    assert len(convolutions) + 1 == 56


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": (2,)}, "one value per stage and channels one more"),
        ({"channels": (8, 16, 33)}, r"even and >= 8, got \[8, 16, 33\]"),
    ],
)
def test_bad_configurations_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RevNet(**{**SMALL, **options})
