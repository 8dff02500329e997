"""What is around a reversible chain, or inside its F, and may not change a number.

Hooks, checkpoints, frozen and unfrozen weights, other chains, recurrent layers, copies.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from structnets.nn import InvertibleBlock, InvertibleSequential, MergeStreams, SplitChannels
from tests.unit.nn.test_reversible_uses import (
    CHANNELS,
    Convolved,
    assert_same,
    chain,
    gradients,
    image,
    plain_of,
)


def normed() -> nn.Module:
    return nn.Sequential(Convolved(), nn.BatchNorm2d(CHANNELS), nn.Dropout(0.4))


def plain_throughout(model: nn.Module) -> Any:
    other = copy.deepcopy(model)
    for part in other.modules():
        if isinstance(part, InvertibleSequential):
            part.reversible = False
    return other


def left_by(net: nn.Module, x: Tensor, call: Callable[[nn.Module], Tensor]) -> list[Any]:
    """Return the gradients that `backward` leaves behind."""
    torch.manual_seed(5)
    net.zero_grad()
    x.grad = None
    call(net).square().mean().backward()
    return [x.grad, *(p.grad for p in net.parameters()), *net.buffers()]


class Checkpointed(nn.Module):
    """Recomputes a part of F by itself."""

    def __init__(self, build: Callable[[], nn.Module] = normed) -> None:
        super().__init__()
        self.inner = build()

    def forward(self, x: Tensor) -> Tensor:
        out = checkpoint(self.inner, x, use_reentrant=False)
        assert isinstance(out, Tensor)
        return out


class OwnNorm(nn.BatchNorm2d):
    """A norm whose statistics are not noted."""


class Recurrent(nn.Module):
    """Keeps its weights in a list, too."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(CHANNELS, CHANNELS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(2).transpose(1, 2)
        return self.rnn(rows)[0].transpose(1, 2).reshape(x.shape)


def inner_chain() -> nn.Module:
    width = CHANNELS // 2
    blocks = [
        InvertibleBlock(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.Tanh())
        )
        for _ in range(2)
    ]
    return InvertibleSequential(SplitChannels(), *blocks, MergeStreams(), stored_last=0)


def one_for_all() -> Callable[[], nn.Module]:
    shared = normed()
    return lambda: shared


RESIDUALS: dict[str, Callable[[], Callable[[], nn.Module]]] = {
    "checkpoint": lambda: Checkpointed,
    "checkpoint of a norm of one's own": lambda: (
        lambda: Checkpointed(lambda: nn.Sequential(Convolved(), OwnNorm(CHANNELS)))
    ),
    "recurrent": lambda: Recurrent,
    "a chain": lambda: inner_chain,
    "one module in all blocks": one_for_all,
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_f_may_be(name: str) -> None:
    model = chain(RESIDUALS[name]())
    other, x = plain_throughout(model), image()
    assert_same(*(left_by(net, x, lambda net: net(x)) for net in (model, other)))


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_chain_in_a_checkpoint(reentrant: bool) -> None:
    model, x = chain(normed), image()
    found = [
        left_by(net, x, lambda net: checkpoint(net, x, use_reentrant=reentrant))  # type: ignore[arg-type, return-value]
        for net in (model, plain_of(model))
    ]
    assert_same(*found)


def test_chains_in_a_chain() -> None:
    torch.manual_seed(0)

    def inner() -> nn.Module:
        return InvertibleSequential(*[InvertibleBlock(Convolved()) for _ in range(2)])

    parts = [InvertibleBlock(Convolved()), inner(), InvertibleBlock(Convolved()), inner()]
    model = InvertibleSequential(SplitChannels(), *parts, MergeStreams()).double()
    x = image()
    assert_same(gradients(model, x), gradients(plain_throughout(model), x))
    model.eval()
    torch.testing.assert_close(model.inverse(model(x)), x)


def test_hooks_of_weights_run_once() -> None:
    model, x = chain(), image()
    found = []
    for net in (model, plain_of(model)):
        for p in net.parameters():
            p.register_hook(lambda gradient: 3 * gradient)
        found.append(gradients(net, x))
    assert_same(*found)


def test_hooks_of_given_tensors_run_once() -> None:
    model, x, found = chain(), image(), []
    for net in (model, plain_of(model)):
        given = {n: 1.1 * p for n, p in net.named_parameters()}
        for tensor in given.values():
            tensor.retain_grad()
            tensor.register_hook(lambda gradient: 3 * gradient)
        torch.func.functional_call(net, given, (x,)).square().mean().backward()
        found.append([*(t.grad for t in given.values()), *(p.grad for p in net.parameters())])
    assert_same(*found)


def test_steps_inside_backward() -> None:
    model, x, found = chain(), image(), []
    for net in (model, plain_of(model)):
        for p in net.parameters():
            optimizer = torch.optim.SGD([p], 0.1)

            def step(p: Tensor, optimizer: torch.optim.Optimizer = optimizer) -> None:
                optimizer.step()
                optimizer.zero_grad()

            p.register_post_accumulate_grad_hook(step)
        for _ in range(3):
            net(x).square().mean().backward()
        found.append([p.detach() for p in net.parameters()])
    assert_same(*found)


def test_weights_frozen_and_unfrozen_before_backward() -> None:
    """As a discriminator's between the losses of two players."""
    model, x, found = chain(), image(), []
    for net in (model, plain_of(model)):
        net[2].requires_grad_(False)
        loss = net(x).square().mean()
        net[2].requires_grad_(True)
        net[3].requires_grad_(False)
        loss.backward()
        found.append([p.grad for p in net.parameters()])
        assert not any(p.requires_grad for p in net[3].parameters())
    assert_same(*found)


@pytest.mark.parametrize("held", ["frozen", "buffer", "attribute"])
def test_what_f_reads_may_not_change_before_backward(held: str) -> None:
    class Masked(Convolved):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("buffer", torch.ones(CHANNELS, 1, 1))
            self.attribute = torch.ones(CHANNELS, 1, 1)
            self.frozen = nn.Parameter(torch.ones(CHANNELS, 1, 1), requires_grad=False)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * self.buffer * self.frozen * self.attribute

    model = chain(Masked)
    loss = model(image()).square().mean()
    with torch.no_grad():
        getattr(model[2].residual, held).mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_frozen_norms_and_two_forward_passes() -> None:
    model, x, found = chain(normed), image(), []
    for net in (model, plain_of(model)):
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        torch.manual_seed(3)
        loss = net(x).square().mean() * net(2 * x).square().mean()
        found.append(list(torch.autograd.grad(loss, [x, *net.parameters()])))
    assert_same(*found)


def test_backward_in_inference_mode() -> None:
    model, x = chain(normed), image()
    expected = left_by(plain_of(model), x, lambda net: net(x))
    torch.manual_seed(5)
    x.grad = None
    loss = model(x).square().mean()
    with torch.inference_mode():
        loss.backward()
    assert_same([x.grad, *(p.grad for p in model.parameters())], expected[: 1 + 4 * 4])


def test_copies_between_forward_and_backward() -> None:
    model, x = chain(normed), image()
    loss = model(x).square().mean()
    other = plain_of(model)
    loss.backward()
    again = copy.deepcopy(model)
    again.zero_grad()
    assert_same(gradients(again, x), gradients(other, x))


def test_converted_after_training() -> None:
    model, x = chain(normed), image()
    gradients(model, x)
    model.bfloat16()
    narrow = x.detach().bfloat16().requires_grad_()
    model(narrow).float().square().mean().backward()
    assert narrow.grad is not None
    assert narrow.grad.dtype == torch.bfloat16
