"""`measure_ways`: layers time their ways within a block, and nothing else is different for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from structnets.nn import (
    GaussianConv2d,
    HierarchicalConv,
    InvertibleBlock,
    InvertibleSequential,
    MergeStreams,
    SplitChannels,
    chosen_ways,
    measure_ways,
    measured_ways,
)
from structnets.nn.measured_ways import _Step, fastest

CLOCK = {"composed": 2.0, "banded": 1.0}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Let ways take `CLOCK`'s seconds, others 9, and count the steps of each."""
    steps: dict[str, int] = {}
    real = _Step.__call__

    def timed(self: _Step, way: str) -> float:
        real(self, way)
        steps[way] = steps.get(way, 0) + 1
        return CLOCK.get(way, 9.0)

    monkeypatch.setattr(_Step, "__call__", timed)
    return steps


def gaussian(**options: Any) -> GaussianConv2d:
    return GaussianConv2d(4, 6, order=2, **options)


def test_the_fastest_way_is_kept_and_slow_ones_are_given_up(clock, monkeypatch) -> None:
    monkeypatch.setattr(measured_ways, "HOPELESS_ESTIMATE", 1e9)
    monkeypatch.setattr(measured_ways, "SECONDS", 1e9)
    layer = gaussian()
    with measure_ways(layer):
        layer(torch.zeros(2, 4, 9, 9))
    assert list(layer.plan.values()) == ["banded"]
    assert clock["banded"] == clock["composed"] == 6  # a first call, and five timed ones
    assert clock["pieces"] == 2
    clock.clear()
    layer(torch.zeros(2, 4, 9, 9))
    layer(torch.zeros(3, 4, 9, 9))
    assert not clock  # after the block nothing is timed


@pytest.mark.usefixtures("clock")
def test_what_is_hopeless_by_its_estimate_is_not_tried(clock, monkeypatch) -> None:
    monkeypatch.setattr(_Step, "estimates", lambda self: {"composed": 1.0, "banded": 9.0})
    layer = gaussian()
    with measure_ways(layer):
        layer(torch.zeros(2, 4, 9, 9))
    assert list(layer.plan.values()) == ["composed"]
    assert not clock


def test_the_sparing_way_is_taken_where_it_is_as_fast(monkeypatch) -> None:
    seconds = {"stencils": 1.0, "pieces": 1.02, "composed": 1.02}
    monkeypatch.setattr(_Step, "estimates", lambda self: dict.fromkeys(seconds, 1.0))
    monkeypatch.setattr(_Step, "__call__", lambda self, way: seconds[way])
    step = _Step(gaussian(discretisation="hybrid"), torch.zeros(2, 4, 9, 9))
    assert fastest(step) == "pieces"
    with torch.no_grad():
        assert fastest(step) == "composed"


@pytest.mark.parametrize(
    "layer",
    [
        gaussian(),
        gaussian(padding_mode="circular", stride=2),
        gaussian(discretisation="hybrid"),
        gaussian(discretisation="hybrid", learn_sigma=True),
        gaussian(groups=2, learn_sigma="channel", discretisation="hybrid"),
    ],
    ids=["sampled", "circular", "hybrid", "learned", "per channel"],
)
@pytest.mark.parametrize("mode", ["training", "evaluation", "inference"])
def test_results_and_gradients_are_those_of_the_layer(layer: GaussianConv2d, mode: str) -> None:
    x = torch.randn(2, 4, 9, 8).contiguous(memory_format=torch.channels_last)
    twin = copy.deepcopy(layer)
    context = {"evaluation": torch.no_grad, "inference": torch.inference_mode}.get(
        mode, torch.enable_grad
    )
    with context(), measure_ways(layer):
        ours, expected = layer(x), twin(x)
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
        if mode == "training":
            ours.sum().backward()
            expected.sum().backward()
            for a, b in zip(layer.parameters(), twin.parameters(), strict=True):
                torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-4)


def test_statistics_random_numbers_and_gradients_are_untouched() -> None:
    net = nn.Sequential(HierarchicalConv(4, 3, support=(1, 1)), nn.Dropout(0.5))
    twin, x = copy.deepcopy(net), torch.randn(2, 6, 6, 1, 1)
    torch.manual_seed(0)
    expected = twin(x)
    torch.manual_seed(0)
    with measure_ways(net):
        found = net(x)
    assert all(p.grad is None for p in net.parameters())
    torch.testing.assert_close(found, expected)
    for a, b in zip(net.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(a, b)
    assert chosen_ways(net)["0"].keys() == chosen_ways(twin)["0"].keys()


def test_kinds_of_input_are_measured_once_each(clock) -> None:
    layer = gaussian()
    with measure_ways(layer):
        layer(torch.zeros(2, 4, 9, 9))
        first = dict(clock)
        layer(torch.ones(2, 4, 9, 9))
        assert clock == first
        with torch.no_grad():
            layer(torch.ones(2, 4, 9, 9))
    assert clock != first
    assert len(layer.plan) == 2


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_recompute_alike(reentrant: bool) -> None:
    layer = gaussian()
    x = torch.randn(2, 4, 9, 9, requires_grad=True)
    with measure_ways(layer):
        checkpoint(layer, x, use_reentrant=reentrant).sum().backward()
    layer(twin := x.detach().requires_grad_()).sum().backward()
    torch.testing.assert_close(x.grad, twin.grad, rtol=1e-4, atol=1e-4)


def test_reversible_nets_measure_what_their_backward_pass_does(clock) -> None:
    block = InvertibleBlock(GaussianConv2d(4, 4))
    net = InvertibleSequential(SplitChannels(), block, MergeStreams())
    with measure_ways(net):
        net(torch.randn(2, 8, 9, 9, requires_grad=True)).sum().backward()
    kinds = next(iter(chosen_ways(net).values()))
    assert "11" in {key.split()[-1] for key in kinds}
    assert set(kinds.values()) == {"banded"}


def test_nothing_is_measured_where_nothing_is_chosen(clock) -> None:
    given = gaussian(way="banded")
    with measure_ways(nn.ModuleList([given, nn.Linear(2, 2)])):
        given(torch.zeros(2, 4, 9, 9))
        with measure_ways(layer := gaussian()):
            torch.compile(layer, backend="eager")(torch.zeros(2, 4, 9, 9))
            with torch.autocast("cpu", torch.bfloat16):
                layer(torch.zeros(2, 4, 9, 9))
    assert not clock
    assert not given.plan
    assert not layer.plan


def test_inputs_that_a_layer_refuses_are_refused_in_its_words() -> None:
    layer = gaussian()
    words = r"must have shape \(B, 4, H, W\), got \(2, 3, 9, 9\)"
    with pytest.raises(ValueError, match=words):
        layer(torch.zeros(2, 3, 9, 9))
    with measure_ways(layer), pytest.raises(ValueError, match=words):
        layer(torch.zeros(2, 3, 9, 9))
    several: Any = [layer]
    with pytest.raises(TypeError, match=r"takes an nn\.Module, got list"), measure_ways(several):
        pass


def test_what_a_way_keeps_for_its_next_call_is_not_taken_by_another() -> None:
    layer = gaussian().eval()
    with torch.no_grad():
        step = _Step(layer, torch.zeros(2, 4, 9, 9))
        for way in ("composed", "relaid", "composed", "relaid"):
            step(way)
    filters = [step.twins[way]._kept._found[1] for way in ("composed", "relaid")]
    assert [f.is_contiguous() for f in filters] == [True, False]
    assert layer._kept._found is None
