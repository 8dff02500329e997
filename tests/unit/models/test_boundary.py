"""Boundary detectors: sizes, what a loss may need, twins of equal size, invariance of the H-Net."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.models import create_model
from structnets.models.boundary import DynResNet
from structnets.models.counting import trained_parameters
from structnets.models.hnet import HNet
from structnets.nn import collapse_model

SMALL = {
    "dynresnet": {"width": 0.1},
    "dynresnet_static": {"width": 0.1},
    "hnet": {"width": 0.3},
    "dynamic_block": {},
    "small_fcn": {},
}


def build(name: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, **{**SMALL[name], **options})


@pytest.mark.parametrize("name", SMALL)
def test_logits_at_full_resolution_and_gradients_everywhere(name: str) -> None:
    model = build(name)
    channels = 1 if name in ("dynamic_block", "small_fcn") else 3
    outputs = model.outputs(torch.randn(2, channels, 21, 34))
    every = (outputs.logits, *outputs.sides)
    assert all(t.shape == (2, 1, 21, 34) for t in every)
    (sum(t.square().mean() for t in every) + outputs.roughness()).backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", SMALL)
def test_call_returns_the_logits_alone(name: str) -> None:
    model = build(name, in_channels=2).eval()
    x = torch.randn(1, 2, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(model(x), model.outputs(x).logits)


def test_h_net_trains_on_all_its_answers() -> None:
    model, x = build("hnet"), torch.randn(2, 3, 32, 32)
    outputs = model.outputs(x)
    torch.testing.assert_close(model(x), torch.cat([outputs.logits, *outputs.sides], 1))


def test_what_is_read_out_besides() -> None:
    x = torch.randn(1, 3, 32, 32)
    dynamic, static, hnet = (build(n).outputs(x) for n in ("dynresnet", "dynresnet_static", "hnet"))
    assert [pose.angle.shape[1] for pose in dynamic.poses] == [6, 13]
    assert (static.poses, len(hnet.sides)) == ((), 5)
    assert static.roughness() == 0
    assert dynamic.roughness() > 0


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_static_twin_has_the_same_size(width: float) -> None:
    with torch.device("meta"):
        sizes = [trained_parameters(DynResNet(width=width, dynamic=d)) for d in (True, False)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.01)


def test_small_nets_of_figure_10_have_the_same_size() -> None:
    dynamic, static = (trained_parameters(build(n)) for n in ("dynamic_block", "small_fcn"))
    assert dynamic < static < 1.04 * dynamic


def test_contrast_of_an_image_does_not_matter() -> None:
    """Each image has the contrast of the others, unless it is all but flat."""
    x = torch.rand(2, 1, 40, 40)
    dimmed = torch.cat([x[:1], 0.1 * x[1:]])
    for name in ("dynamic_block", "small_fcn"):
        net = build(name).eval()
        by_set = build(name, contrast="set").eval()
        with torch.no_grad():
            # Batch norm here has learned nothing: units are those of grey values.
            torch.testing.assert_close(net(30 * dimmed), net(30 * x), rtol=0.02, atol=0.05)
            assert (by_set(dimmed) - by_set(x))[1].abs().max() > 0.1


def test_the_dynamic_block_sees_the_gradient_only() -> None:
    """Brightness does not matter, and a flat image has no boundaries, away from the padding."""
    block = build("dynamic_block", dilation=(1, 1, 1)).eval().double()
    x = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    inside = (..., slice(13, -13), slice(13, -13))
    with torch.no_grad():
        torch.testing.assert_close(block(x + 0.3)[inside], block(x)[inside], rtol=0, atol=1e-4)
        flat = block(torch.full_like(x, 0.7))[inside]
    torch.testing.assert_close(flat, torch.zeros_like(flat), rtol=0, atol=1e-6)


def test_hnet_predicts_the_same_on_a_turned_image() -> None:
    model = build("hnet").eval()
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        turned = model(torch.rot90(x, 1, (2, 3)))
        torch.testing.assert_close(torch.rot90(turned, -1, (2, 3)), model(x), rtol=0, atol=1e-4)


def test_collapsed_hnet_is_the_same_function() -> None:
    model = build("hnet").eval()
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = model(x)
        torch.testing.assert_close(collapse_model(model)(x), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: DynResNet(dilations=(1,)), r"dilations must be 2, one per stage; got \[1\]"),
        (lambda: DynResNet(width=0), "width must be > 0, got 0"),
        (lambda: DynResNet(width=0.1, poses=5), "must divide in_channels = 6, got 5"),
        (lambda: build("dynamic_block", contrast="both"), "'both'; allowed: image, set"),
        (lambda: build("dynamic_block", surroundings=4), "odd and positive, or 0; got 4"),
        (
            lambda: build("small_fcn", dilation=(1, 2)),
            r"one number or 3, one a layer; got \(1, 2\)",
        ),
        (lambda: HNet(width=0.3)(torch.zeros(1, 3, 15, 40)), r"16 pixels wide, got \(15, 40\)"),
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
