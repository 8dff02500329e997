"""Nets of chapter 4: counts, shapes, frames, error paths."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.models import create_model, describe_models
from structnets.models.densenet import DenseNet
from structnets.models.resnet import ResNet
from structnets.nn import FrameConv2d, collapse_model


def test_golden_table_of_chapter_4() -> None:
    rows = {
        row["name"]: (row["params"], row["collapsed_params"])
        for row in describe_models()
        if row["chapter"] == 4
    }
    assert rows == {
        "resnet20": (272_282, 272_282),
        "resnet56": (855_578, 855_578),
        "resnet110": (1_730_522, 1_730_522),
        "resnet164": (1_703_258, 1_703_258),
        "densenet40": (1_019_722, 1_019_722),
        "densenet100": (6_979_642, 6_979_642),
        "dynresnet": (1_290_433, 1_290_433),
        "dynresnet_static": (1_290_875, 1_290_875),
        "hnet": (126_454, 5_001_394),
        "dynamic_block": (9_643, 9_643),
        "dynamic_block_literal": (7_636, 7_636),
        "small_fcn_5": (9_083, 9_083),
        "small_fcn": (9_983, 9_983),
    }


@pytest.mark.parametrize("frame", ["gaussian", "framelet", "image", "naive"])
def test_minimal_frames_add_no_parameters(frame: str) -> None:
    with torch.device("meta"):
        model = create_model("resnet110", frame=frame)
    assert sum(p.numel() for p in model.parameters()) == 1_730_522


def test_overcomplete_frame_collapses_to_the_pixel_net_s_count() -> None:
    with torch.device("meta"):
        model = ResNet(frame="gauss15")
    collapsed = collapse_model(model)
    assert sum(p.numel() for p in collapsed.parameters()) == 272_282


@pytest.mark.parametrize("name", ["resnet20", "resnet164", "densenet40"])
def test_logits_of_other_sizes_and_channels(name: str) -> None:
    model = create_model(name, num_classes=7, in_channels=1, frame="image").eval()
    with torch.no_grad():
        assert model(torch.randn(2, 1, 16, 20)).shape == (2, 7)


def test_image_frame_alternates_over_all_3x3_convolutions() -> None:
    model = ResNet(frame="image")
    names = [m.frame.name for m in model.modules() if isinstance(m, FrameConv2d)]
    assert names == ["gaussian", "framelet"] * 9 + ["gaussian"]
    assert all(m.kernel_size == (1, 1) for m in model.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize("build", [ResNet, DenseNet])
def test_collapsed_net_is_the_same_function(build: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = build(frame="image").eval()
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        before = model(x)
        torch.testing.assert_close(collapse_model(model)(x), before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("frame", ["pixel", "image", "naive"])
def test_a_step_lowers_the_loss(frame: str) -> None:
    torch.manual_seed(0)
    model = ResNet(depth=8, frame=frame)
    x, y = torch.randn(8, 3, 16, 16), torch.arange(8)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("frame", ["pixel", "gaussian", "naive"])
def test_filters_have_the_same_variance_in_every_frame(frame: str) -> None:
    torch.manual_seed(0)
    model = create_model("resnet110", frame=frame)
    conv = model.get_submodule("units.50.convolutions.1")
    kernel = conv.kernel() if isinstance(conv, FrameConv2d) else conv.weight
    assert float(kernel.detach().square().sum((1, 2, 3)).mean()) == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ResNet(depth=21), r"basic net must be 6 n \+ 2 with n >= 1, got 21"),
        (lambda: ResNet(depth=111, block="bottleneck"), r"must be 9 n \+ 2 .*got 111"),
        (lambda: ResNet(block="wide"), "'basic' or 'bottleneck', got 'wide'"),
        (lambda: ResNet(frame="wavelet"), "unknown frame 'wavelet'"),
        (lambda: DenseNet(depth=41), r"depth must be 3 n \+ 4 with n >= 1, got 41"),
        (lambda: DenseNet(growth=0), "growth must be >= 1, got 0"),
    ],
)
def test_bad_options_are_named(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
