"""`MixAndPool` is its layers one by one; the pooling is torch's, the first of equals included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn import _mix_and_pool as mix_and_pool
from structnets.nn._mix_and_pool import MixAndPool, pool_by_two

SIZE = (5, 7, 6)


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def one_by_one(x: Tensor, first: Tensor | None, shift: Tensor | None, *rest: Tensor) -> Tensor:
    if first is not None:
        x = functional.conv3d(x, first[..., None, None, None], shift)
    weight, bias = rest
    maps = functional.conv3d(x.relu(), weight[..., None, None, None], bias)
    return functional.max_pool3d(maps.relu(), 2)


@pytest.fixture(params=["kept", "computed again"], autouse=True)
def slabs_of_two(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go through the volumes by two slices."""
    monkeypatch.setattr(mix_and_pool, "SLAB_NUMBERS", 1)
    if request.param == "computed again":
        monkeypatch.setattr(mix_and_pool, "KEPT_NUMBERS", 0)


def test_rectified_maps_are_mixed_and_pooled() -> None:
    torch.manual_seed(0)
    inputs = [draw(2, 3, *SIZE), draw(4, 3), draw(4)]
    answer = MixAndPool.apply(inputs[0], None, None, *inputs[1:])
    expected = one_by_one(inputs[0], None, None, *inputs[1:])
    torch.testing.assert_close(answer, expected)
    grad = torch.randn_like(answer)
    found = torch.autograd.grad(answer, inputs, grad)
    torch.testing.assert_close(found, torch.autograd.grad(expected, inputs, grad))


@pytest.mark.parametrize("shifted", [True, False])
def test_fixed_maps_are_mixed_twice(shifted: bool) -> None:
    torch.manual_seed(0)
    x = draw(2, 5, *SIZE).detach()
    first, shift, weight, bias = draw(3, 5), draw(3) if shifted else None, draw(4, 3), draw(4)
    answer = MixAndPool.apply(list(x), first, shift, weight, bias)
    expected = one_by_one(x, first, shift, weight, bias)
    torch.testing.assert_close(answer, expected)
    learned = [one for one in (first, shift, weight, bias) if one is not None]
    grad = torch.randn_like(answer)
    found = torch.autograd.grad(answer, learned, grad)
    torch.testing.assert_close(found, torch.autograd.grad(expected, learned, grad))


def test_pooling_is_that_of_torch() -> None:
    maps = torch.randint(0, 3, (4, *SIZE)).float()
    expected = functional.max_pool3d_with_indices(maps, 2)
    torch.testing.assert_close(pool_by_two(maps), expected, rtol=0, atol=0)


def test_pooling_by_hand() -> None:
    maps = torch.tensor([0.0, 5, 1, 2, 5, 4, 3, 5]).view(1, 2, 2, 2)
    assert [one.item() for one in pool_by_two(maps)] == [5, 1]


def test_empty_batch() -> None:
    weight, bias = draw(4, 3), draw(4)
    out = MixAndPool.apply(draw(0, 3, *SIZE), None, None, weight, bias)
    out.sum().backward()
    assert out.shape == (0, 4, 2, 3, 3)
    assert not weight.grad.any()
