"""Composed filters are kept in evaluation, and never stale."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from structnets.nn import GaussianConv2d, _kept_filters


def build(learn: bool = False) -> tuple[GaussianConv2d, Tensor]:
    torch.manual_seed(0)
    kind = {"discretisation": "hybrid", "learn_sigma": True} if learn else {}
    layer = GaussianConv2d(4, 5, order=2, way="composed", **kind).eval()
    return layer, torch.randn(2, 4, 9, 8)


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often filters are composed."""
    calls: list[str] = []
    kernel = GaussianConv2d.kernel

    def counted(self: GaussianConv2d) -> Tensor:
        calls.append("once")
        return kernel(self)

    monkeypatch.setattr(GaussianConv2d, "kernel", counted)
    return calls


@pytest.mark.parametrize("learn", [False, True])
def test_filters_are_composed_once(learn: bool, composed: list[str]) -> None:
    layer, x = build(learn)
    with torch.inference_mode():
        first = layer(x)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), first, rtol=0, atol=0)
    assert composed == ["once"]
    torch.testing.assert_close(layer(x).detach(), first, rtol=1e-5, atol=1e-6)
    (gradient,) = torch.autograd.grad(layer(x).sum(), layer.alpha)
    assert gradient.abs().sum() > 0


def write_through_data(layer: GaussianConv2d) -> None:
    layer.alpha.data.mul_(2)


def load(layer: GaussianConv2d) -> None:
    layer.load_state_dict({k: v + 0.1 for k, v in layer.state_dict().items()})


def learn_step(layer: GaussianConv2d) -> None:
    layer(torch.ones(1, 4, 9, 8)).sum().backward()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()


def grow(layer: GaussianConv2d) -> None:
    layer.log_scale.data.add_(0.3)


@pytest.mark.parametrize("change", [write_through_data, load, learn_step, grow])
def test_changed_weights_are_seen(change: Callable[[GaussianConv2d], None]) -> None:
    layer, x = build(learn=True)
    with torch.no_grad():
        before = layer(x)
    change(layer)
    with torch.no_grad():
        after = layer(x)
        torch.testing.assert_close(after, layer.collapse()(x), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(before, after)


def test_nothing_is_kept_in_training_or_in_copies(composed: list[str]) -> None:
    layer, x = build()
    with torch.no_grad():
        expected = layer(x)
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert other._kept._found is None
            torch.testing.assert_close(other(x), expected)
        exact = copy.deepcopy(layer).double()(x.double())
        torch.testing.assert_close(exact.float(), expected, rtol=1e-5, atol=1e-5)
        layer.train()
        assert layer._kept._found is None
        layer(x)
        assert layer._kept._found is None


def test_weights_that_are_no_numbers_are_not_kept_as_others() -> None:
    kept = _kept_filters.KeptFilters()
    weights = torch.full((2,), float("nan"))
    assert kept.get([weights], lambda: torch.zeros(1), torch.contiguous_format).item() == 0
    assert kept.get([weights], lambda: torch.ones(1), torch.contiguous_format).item() == 1


def autocast(layer: GaussianConv2d, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return layer(x)


def another_plan(layer: GaussianConv2d, x: Tensor) -> Tensor:
    layer.way = "auto"
    layer(x)
    layer.plan = dict.fromkeys(layer.plan, "banded")
    return layer(x)


CALLS: dict[str, Callable[[GaussianConv2d, Tensor], Tensor]] = {
    "once more": lambda layer, x: layer(x),
    "without a batch": lambda layer, x: layer(x[0]),
    "another size": lambda layer, x: layer(x[:, :, 1:]),
    "channels last": lambda layer, x: layer(x.contiguous(memory_format=torch.channels_last)),
    "every other pixel": lambda layer, x: layer(x.repeat_interleave(2, -1)[..., ::2]),
    "another way": another_plan,
    "mapped": lambda layer, x: torch.vmap(layer)(x[None])[0],
    "in half": autocast,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_calls_after_the_first_answer_as_the_first_would(
    call: Callable[[GaussianConv2d, Tensor], Tensor],
) -> None:
    layer, x = build()
    fresh = copy.deepcopy(layer)
    with torch.no_grad():
        layer(x)
        assert layer.answered_again(x) is not None
        found, expected = call(layer, x), call(fresh, x)
    assert (found.dtype, found.stride()) == (expected.dtype, expected.stride())
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.zeros(2, 3, 9, 8), "input must have shape"),
        (torch.zeros(2, 4, 9, 8).double(), "dtype"),
    ],
)
def test_what_a_first_call_refuses_later_ones_do(given: Tensor, message: str) -> None:
    layer, x = build()
    with torch.no_grad():
        layer(x)
        with pytest.raises((RuntimeError, ValueError), match=message):
            layer(given)


def test_another_choice_is_followed() -> None:
    """Filters are kept, but the plan says by which way from now on."""
    layer, x = build()
    layer.way = "auto"
    with torch.no_grad():
        layer(x)
        (key,) = layer.plan
        layer.set_plan({key: "composed"})
        layer(x)
        assert layer.answered_again(x) is not None
        layer.set_plan({key: "banded"})
        assert layer.answered_again(x) is None
        layer.set_plan({key: "composed"})
        layer.way = "mixed"
        assert layer.answered_again(x) is None


def test_answers_to_one_channel_lie_as_they_were_made_but_where_trainings_are_repeated() -> None:
    x, options = torch.zeros(2, 1, 9, 9), {"order": 2, "bias": False}
    layer = GaussianConv2d(1, 4, way="composed", **options)
    plain = layer.collapse()
    assert layer(x).stride() == plain(x).stride()
    repeatable = GaussianConv2d(1, 4, way="repeatable", **options)
    assert repeatable(x).is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        assert repeatable.eval()(x).stride() == plain(x).stride()


@pytest.mark.parametrize("learn", [False, True])
def test_filters_kept_for_one_layout_serve_another(learn: bool, composed: list[str]) -> None:
    layer, x = build(learn)
    last = x.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = layer(x)
        for way in ("relaid", "composed", "relaid"):
            layer.way = way
            for maps in (x, last, x, last, last):
                found = layer(maps)
                assert (
                    found.stride()
                    == torch.empty_like(expected, memory_format=layout(maps)).stride()
                )
                torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert composed == ["once"]


def layout(x: Tensor) -> torch.memory_format:
    return torch.contiguous_format if x.is_contiguous() else torch.channels_last


def test_a_choice_holds_for_one_layout() -> None:
    layer, x = build()
    layer.way = "auto"
    for maps in (x, x.contiguous(memory_format=torch.channels_last)):
        layer.train()(maps)
    assert [key.endswith("10 channels last") for key in layer.plan] == [False, True]
