"""Filters composed together, two at a time, and by several threads: those composed one by one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from structnets.nn import FrameConv2d, composed_together, reparametrize
from structnets.nn._frame_convolution import _in_pairs, compose


def test_filters_composed_together_are_those_composed_alone() -> None:
    torch.manual_seed(0)
    maps = torch.randn(2, 4, 9, 8)
    layers = [nn.Conv2d(4, 6, 3), nn.Conv2d(6, 4, 3, groups=2), nn.Conv2d(4, 2, (1, 3))]
    model = reparametrize(nn.Sequential(*layers), "image")
    first = model[0]
    assert isinstance(first, FrameConv2d)
    alone = model(maps)
    wanted = list(model.parameters())
    expected = torch.autograd.grad(alone.square().sum(), wanted)
    with composed_together(model):
        assert first.kernel() is first.kernel()
        together = model(maps)
    found = torch.autograd.grad(together.square().sum(), wanted)
    assert first.kernel() is not first.kernel()
    torch.testing.assert_close((together, *found), (alone, *expected), rtol=1e-5, atol=1e-5)


def test_composed_filters_do_not_outlive_an_error() -> None:
    layer = FrameConv2d(1, 1, 3)
    with pytest.raises(RuntimeError, match="input"), composed_together(layer):
        layer(torch.zeros(1, 2, 5, 5))
    assert layer.composed() is None


def test_what_is_composed_inside_leaves_what_is_composed_outside() -> None:
    first, second = FrameConv2d(1, 1, 3), FrameConv2d(1, 1, 3)
    with composed_together(nn.Sequential(first, second)):
        outer = first.kernel(), second.kernel()
        with composed_together(second):
            assert first.kernel() is outer[0]
            assert second.kernel() is not outer[1]
        assert second.kernel() is outer[1]


def test_threads_that_train_one_net_have_the_gradients_of_one_after_another() -> None:
    torch.manual_seed(0)
    meet = nn.Identity()
    net = nn.Sequential(meet, FrameConv2d(1, 4, 3), FrameConv2d(4, 2, 3), meet)
    pictures = torch.randn(4, 3, 1, 8, 8)

    def gradients(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        with composed_together(net):
            out = net(x)
        return torch.autograd.grad(out.square().sum(), list(net.parameters()))

    expected = [gradients(x) for x in pictures]
    meeting = threading.Barrier(len(pictures), timeout=60)
    meet.register_forward_hook(lambda *_: [meeting.wait(), None][1])  # all are in the block
    with ThreadPoolExecutor(len(pictures)) as pool:
        found = list(pool.map(gradients, pictures))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("frame", ["gaussian", "framelet", "gauss15"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_filters_composed_in_pairs_are_those_composed_one_by_one(frame: str, dtype) -> None:
    torch.manual_seed(0)
    layer = FrameConv2d(64, 32, 3, frame=frame, dtype=dtype)
    single = compose(layer.coefficients, layer.constant("atoms", layer.coefficients))
    assert _in_pairs(layer.coefficients, layer.atoms)
    torch.testing.assert_close(layer.kernel().flatten(2), single)
    upstream = torch.randn_like(single)
    found, expected = (
        torch.autograd.grad(filters, layer.coefficients, upstream)
        for filters in (layer.kernel().flatten(2), single)
    )
    torch.testing.assert_close(found, expected)


def test_what_is_not_finite_stays_in_its_output_channel() -> None:
    layer = FrameConv2d(64, 32, 3)
    with torch.no_grad():
        layer.coefficients[3, 1] = float("inf")
    assert layer.kernel()[torch.arange(32) != 3].isfinite().all()
