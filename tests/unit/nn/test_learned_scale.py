"""Functions of learned scales: their derivatives in closed form are those of autograd."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.autograd import gradcheck, gradgradcheck

from structnets.bases.discretisation import DISCRETISATIONS, Discretisation
from structnets.nn import GaussianConv2d, _discretised, _learned_scale
from structnets.nn._learned_filters import learned_filters
from structnets.nn._learned_scale import (
    derivative_profiles,
    learned_sigmas,
    of_scales,
    powers,
    smoothing_and_rates,
    smoothing_taps,
)

SCALES = torch.tensor([0.4, 1.0, 3.0], dtype=torch.float64)
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmas": lambda s: learned_sigmas(s - 1, (1.0, 2.0, 4.0), 2.0),
    "powers": lambda s: powers(s, 4),
}
for kind in ("sampled", "integrated"):
    FUNCTIONS[f"{kind} smoothing"] = lambda s, kind=kind: smoothing_taps(s, 9, kind)[0]
for discretisation in DISCRETISATIONS:
    for scaled in (True, False):
        FUNCTIONS[f"{discretisation}, {'scaled' if scaled else 'plain'}"] = functools.partial(
            derivative_profiles, order=4, radius=9, discretisation=discretisation, scaled=scaled
        )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rates_are_the_derivatives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sigmas = SCALES.clone().requires_grad_()
    out = FUNCTIONS[name](sigmas)
    above = torch.randn_like(out)
    (ours,) = torch.autograd.grad(out, sigmas, above)
    monkeypatch.setattr(_learned_scale, "needs_plain_operations", lambda: True)
    plain = FUNCTIONS[name](sigmas)
    (theirs,) = torch.autograd.grad(plain, sigmas, above)
    torch.testing.assert_close(out, plain, rtol=0, atol=0)
    torch.testing.assert_close(ours, theirs)


def test_no_gradient_follows_the_rates() -> None:
    taps, rates = smoothing_taps(SCALES.clone().requires_grad_(), 9, "sampled")
    assert (taps.requires_grad, rates.requires_grad) == (True, False)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_both_orders_against_numerical_ones(name: str) -> None:
    sigmas = torch.tensor([0.6, 1.3, 2.1], dtype=torch.float64, requires_grad=True)
    assert gradcheck(FUNCTIONS[name], sigmas)
    assert gradgradcheck(FUNCTIONS[name], sigmas)


@pytest.mark.parametrize("kind", ["sampled", "integrated"])
def test_gaussians_of_every_scale_have_the_same_sum(kind: str) -> None:
    taps, rates = smoothing_and_rates(SCALES, 9, kind)
    torch.testing.assert_close(taps.sum(1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(rates.sum(1), torch.zeros(3, dtype=torch.float64))


def test_scales_of_any_leading_shape() -> None:
    sigmas = SCALES.repeat(2, 1).requires_grad_()
    taps = derivative_profiles(sigmas, 2, 5, "hybrid", True)
    assert taps.shape == (2, 3, 3, 11)
    (found,) = torch.autograd.grad(taps.sum((0, 2, 3)) @ torch.ones(3).double(), sigmas)
    torch.testing.assert_close(found[0], found[1])


def test_nothing_is_kept_where_no_gradient_is_wanted() -> None:
    fixed = of_scales(lambda s: (2 * s, torch.full_like(s, float("nan"))), SCALES)
    torch.testing.assert_close(fixed, 2 * SCALES)
    assert not fixed.requires_grad


def test_a_layer_makes_the_taps_of_equal_axes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = GaussianConv2d(2, 3, order=2, discretisation="hybrid", learn_sigma=True)
    made = []
    whole = _learned_scale.derivative_profiles

    def count(*args: object) -> Tensor:
        made.append(args)
        return whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(_learned_scale, "derivative_profiles", count)
    along_y, along_x = layer.learned_profiles()
    assert along_y is along_x
    assert len(made) == 1


def two_scales(discretisation: Discretisation) -> GaussianConv2d:
    """Build a layer whose filters are higher than wide, with scales that have moved."""
    size = (11, 9)
    layer = GaussianConv2d(
        *(2, 3),
        order=2,
        sigmas=(0.8, 1.4),
        kernel_size=size,
        discretisation=discretisation,
        learn_sigma=True,
        dtype=torch.float64,
    )
    with torch.no_grad():
        layer.log_scale.add_(torch.tensor([0.1, -0.2]))
    return layer


@pytest.mark.parametrize("discretisation", DISCRETISATIONS)
def test_composed_filters_and_their_gradients_are_those_of_recorded_operations(
    discretisation: Discretisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = two_scales(discretisation)
    wanted = [layer.alpha, layer.log_scale]
    filters = layer.kernel()
    above = torch.randn_like(filters)
    ours = torch.autograd.grad(filters, wanted, above)
    monkeypatch.setattr(_discretised, "needs_plain_operations", lambda x: True)
    plain = layer.kernel()
    torch.testing.assert_close(filters, plain, rtol=0, atol=0)
    torch.testing.assert_close(ours, torch.autograd.grad(plain, wanted, above))


def test_composed_filters_are_differentiated_twice_and_by_either_alone() -> None:
    layer = two_scales("hybrid")

    def compose(alpha: Tensor, log_scale: Tensor) -> Tensor:
        return learned_filters(alpha, log_scale, layer._atoms_and_rates, layer._scale_of)

    alpha, log_scale = layer.alpha[:1, :1].detach(), layer.log_scale.detach()
    for wanted in ((True, True), (True, False), (False, True)):
        given = [
            t.clone().requires_grad_(w) for t, w in zip((alpha, log_scale), wanted, strict=True)
        ]
        assert gradcheck(compose, given)
        assert gradgradcheck(compose, given)


def test_what_a_tracer_makes_of_filters_does_not_outlive_it() -> None:
    def step() -> Tensor:
        layer = GaussianConv2d(
            2, 2, order=1, discretisation="hybrid", learn_sigma=True, way="composed"
        )
        layer(torch.zeros(1, 2, 9, 9)).sum().backward()
        assert layer.log_scale is not None
        assert layer.log_scale.grad is not None
        return layer.log_scale.grad

    for _ in range(2):
        with FakeTensorMode():
            assert isinstance(step(), FakeTensor)
        assert not isinstance(step(), FakeTensor)
