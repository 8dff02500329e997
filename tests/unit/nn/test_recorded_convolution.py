"""Narrow outputs of convolutions are kept for the second evaluation of F, not computed again."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import InvertibleBlock, InvertibleSequential


class Counted(nn.Module):
    """A bottleneck of 1x1 convolutions that says how often each was computed."""

    def __init__(self) -> None:
        super().__init__()
        self.narrowing, self.widening = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.widening(self.narrowing(x).tanh())


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Output channels of the convolutions computed since."""
    widths: list[int] = []
    compute = torch.nn.functional.conv2d

    def counted(x: Tensor, weight: Tensor, *rest: Any, **options: Any) -> Tensor:
        widths.append(len(weight))
        return compute(x, weight, *rest, **options)

    monkeypatch.setattr(torch.nn.functional, "conv2d", counted)
    return widths


def chain(blocks: int, **options: int) -> InvertibleSequential:
    torch.manual_seed(0)
    return InvertibleSequential(*(InvertibleBlock(Counted()) for _ in range(blocks)), **options)


def output(model: nn.Module) -> Tensor:
    torch.manual_seed(1)
    y, y_tilde = model((torch.randn(2, 8, 4, 4), torch.randn(2, 8, 4, 4)))
    return (y * y_tilde).sum()


def test_only_wide_convolutions_are_computed_again(computed: list[int]) -> None:
    loss = output(chain(5, stored_last=1, stored_narrow=2))
    computed.clear()
    loss.backward()
    # From the last: stored, two whose narrow outputs are, two of which nothing is.
    assert computed == [8, 8, 2, 8, 2, 8]


def test_a_second_backward_pass_uses_them_again(computed: list[int]) -> None:
    model = chain(3, stored_last=0, stored_narrow=3)
    loss = output(model)
    weights = list(model.parameters())
    first = torch.autograd.grad(loss, weights, retain_graph=True)
    computed.clear()
    second = torch.autograd.grad(loss, weights)
    assert computed == [8, 8, 8]
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(loss, weights)


def test_under_autocast_nothing_is_kept(computed: list[int]) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        loss = output(chain(2, stored_last=0, stored_narrow=2))
    computed.clear()
    loss.backward()
    assert computed == [2, 8, 2, 8]


def test_layers_with_a_forward_of_their_own_are_called(computed: list[int]) -> None:
    model = chain(2, stored_last=0, stored_narrow=2)
    block: Any = model[1]
    block.residual.narrowing.forward = lambda x: x[:, :2] * 2
    loss = output(model)
    computed.clear()
    loss.backward()
    assert computed == [8, 8]
    assert block.residual.narrowing.weight.grad is None


def test_frozen_weights_get_no_gradient() -> None:
    model = chain(2, stored_last=0, stored_narrow=2)
    block: Any = model[0]
    block.residual.narrowing.weight.requires_grad_(False)
    output(model).backward()
    assert block.residual.narrowing.weight.grad is None
    assert block.residual.narrowing.bias.grad is not None


def test_a_negative_number_of_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="stored_narrow must be >= 0, got -1"):
        InvertibleSequential(stored_narrow=-1)
