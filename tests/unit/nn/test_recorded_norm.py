"""Batch norm repeated with noted statistics: the bits of the first call, PyTorch's gradients."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from structnets.nn._recorded_norm import (
    Noted,
    pack,
    statistics_noted,
    statistics_repeated,
    unpack,
)


def noted_call(norm: nn.Module, x: Tensor) -> tuple[Tensor, Noted]:
    noted: Noted = {norm: []}
    with torch.no_grad(), statistics_noted(noted):
        return norm(x), noted


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_repeats_bits_and_gradients(dtype: torch.dtype, affine: bool, channels_last: bool) -> None:
    torch.manual_seed(0)
    norm, x = nn.BatchNorm2d(5, affine=affine).to(dtype), torch.randn(4, 5, 3, 3, dtype=dtype)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    plain, x = copy.deepcopy(norm), x.requires_grad_()
    expected, grad = plain(x), torch.randn_like(x)
    first, noted = noted_call(norm, x)
    exact = {"rtol": 0, "atol": 0} if channels_last else {}  # those are left to PyTorch
    torch.testing.assert_close(first, expected, **exact)
    for (name, a), (_, b) in zip(norm.named_buffers(), plain.named_buffers(), strict=True):
        torch.testing.assert_close(a, b, msg=name, **exact)
    with statistics_repeated(noted):
        again = norm(x)
    assert torch.equal(again, first)
    found = torch.autograd.grad(again, [x, *norm.parameters()], grad)
    wanted = torch.autograd.grad(expected, [x, *plain.parameters()], grad)
    torch.testing.assert_close(found, wanted, **exact)


@pytest.mark.parametrize("offset", [0.0, 3.0, 100.0, 1e4])
def test_statistics_far_off_centre(offset: float) -> None:
    """The mean square less the squared mean would have lost all digits at the last."""
    torch.manual_seed(0)
    norm, x = nn.BatchNorm2d(4), torch.randn(8, 4, 6, 6) + offset
    _, noted = noted_call(norm, x)
    ((mean, inverse_deviation),) = noted[norm]
    exact = x.double()
    torch.testing.assert_close(mean.double(), exact.mean((0, 2, 3)), rtol=1e-6, atol=1e-6)
    variance = exact.var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(
        inverse_deviation.double(), (variance + norm.eps).rsqrt(), rtol=1e-5, atol=0
    )


def test_another_batch_is_normalised_as_the_noted_one() -> None:
    norm, x, other = nn.BatchNorm1d(3), torch.randn(8, 3), torch.randn(8, 3)
    _, noted = noted_call(norm, x)
    with statistics_repeated(noted):
        found = norm(other)
    deviation = (x.var(0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(found, (other - x.mean(0)) / deviation)


def test_packed_statistics_come_back_call_by_call() -> None:
    one, two = nn.BatchNorm2d(3), nn.BatchNorm1d(5)
    noted: Noted = {one: [torch.rand(2, 3), torch.rand(2, 3)], two: [torch.rand(2, 5)]}
    found = unpack(pack(noted))
    assert list(found) == [one, two]
    for norm, of in noted.items():
        torch.testing.assert_close(found[norm], of, rtol=0, atol=0)


def test_norms_that_did_not_note_all_calls_are_not_packed() -> None:
    first, other, left, idle = (nn.BatchNorm2d(3) for _ in range(4))
    single, double = torch.rand(2, 3), torch.rand(2, 3, dtype=torch.float64)
    packed = pack({first: [single], other: [double], left: [single, None], idle: []})
    assert packed is not None
    assert packed.norms == (first,)
    assert packed.values.dtype == torch.float32
    assert pack({left: [None]}) is None
    assert unpack(None) == {}


def test_rounded_statistics_are_not_kept() -> None:
    """With weights in half precision PyTorch rounds what it returns, not what it uses."""
    norm, x = nn.BatchNorm2d(3).to(torch.bfloat16), torch.randn(4, 3, 2, 2, dtype=torch.bfloat16)
    first, noted = noted_call(norm, x)
    assert noted == {norm: [None]}
    with statistics_repeated(noted):
        assert torch.equal(norm(x), first)


def test_errors_of_torch_stay_and_the_forward_comes_back() -> None:
    norm = nn.BatchNorm2d(3)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        noted_call(norm, torch.ones(1, 3, 1, 1))
    with pytest.raises(ValueError, match="expected 4D input"):
        noted_call(norm, torch.ones(2, 3))
    assert "forward" not in vars(norm)
