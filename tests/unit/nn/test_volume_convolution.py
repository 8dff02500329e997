"""`VolumeConvolution` is `nn.Conv3d`, with the gradient of the weights found by slices."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import _volume_convolution
from structnets.nn._volume_convolution import VolumeConvolution, weight_gradient

CASES: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "cube": ({"kernel_size": 5, "padding": 2}, (2, 8, 6, 7, 5)),
    "no padding": ({"kernel_size": 3}, (2, 9, 6, 7, 5)),
    "box": ({"kernel_size": (1, 3, 2), "padding": (2, 0, 1)}, (2, 8, 4, 5, 6)),
    "no bias": ({"kernel_size": 3, "padding": 1, "bias": False}, (1, 8, 3, 3, 3)),
    "few channels": ({"kernel_size": 3, "padding": 1}, (2, 2, 4, 5, 6)),
    "strided": ({"kernel_size": 3, "padding": 1, "stride": 2}, (2, 8, 5, 5, 5)),
    "groups": ({"kernel_size": 3, "padding": 1, "groups": 2}, (2, 8, 5, 5, 5)),
    "padding by name": ({"kernel_size": 3, "padding": "same"}, (2, 8, 5, 5, 5)),
    "circular": ({"kernel_size": 3, "padding": 1, "padding_mode": "circular"}, (2, 8, 5, 5, 5)),
    "one volume": ({"kernel_size": 3, "padding": 1}, (8, 4, 5, 6)),
    "no volume": ({"kernel_size": 3, "padding": 1}, (0, 8, 4, 5, 6)),
}


def pair(options: dict[str, Any], shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module, Tensor]:
    torch.manual_seed(0)
    layer = VolumeConvolution(shape[-4], 6, **options).double()
    plain = nn.Conv3d(shape[-4], 6, **options).double()
    plain.load_state_dict(layer.state_dict())
    return layer, plain, torch.randn(shape, dtype=torch.float64, requires_grad=True)


def found_by(layer: nn.Module, x: Tensor) -> list[Tensor]:
    out = layer(x)
    return [out, *torch.autograd.grad(out.sin().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("name", CASES)
def test_output_and_gradients_are_those_of_pytorch(name: str) -> None:
    layer, plain, x = pair(*CASES[name])
    torch.testing.assert_close(found_by(layer, x), found_by(plain, x), rtol=1e-10, atol=1e-12)


def test_the_gradient_is_found_by_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def watched(*given: Any) -> Tensor:
        asked.append(given[2].shape)
        return weight_gradient(*given)

    monkeypatch.setattr(_volume_convolution, "weight_gradient", watched)
    for name in CASES:
        layer, _, x = pair(*CASES[name])
        found_by(layer, x)
    cases = ["cube", "no padding", "box", "no bias"]
    assert asked == [pair(*CASES[name])[0].get_parameter("weight").shape for name in cases]


def test_frozen_parts_get_no_gradient() -> None:
    layer, _, x = pair(*CASES["cube"])
    layer.get_parameter("bias").requires_grad_(False)
    layer(x.detach()).sum().backward()
    assert layer.get_parameter("weight").grad is not None
    assert layer.get_parameter("bias").grad is None
    assert x.grad is None


def test_second_derivatives() -> None:
    layer, _, x = pair({"kernel_size": 3, "padding": 1}, (1, 8, 2, 3, 2))
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def call(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        values = {"weight": weight, "bias": bias}
        return torch.func.functional_call(layer, values, (x,)).square().sum()

    assert torch.autograd.gradcheck(call, (x, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(call, (x, *weights), fast_mode=True)


def test_half_precision_compiled_and_batched() -> None:
    layer, plain, x = pair(*CASES["cube"])
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.float()(x.float()).dtype == torch.bfloat16
    twice = copy.deepcopy(x.detach())[None].repeat(2, 1, 1, 1, 1, 1)
    found = torch.func.vmap(layer.double())(twice)
    torch.testing.assert_close(found[1], plain(x), rtol=1e-10, atol=1e-12)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), plain(x), rtol=1e-10, atol=1e-12)
