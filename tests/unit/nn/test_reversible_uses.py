"""Reversible training in other people's code: as plain autograd, or refused with the remedy."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils import parametrize

from structnets.nn import (
    InjectivePad,
    InvertibleBlock,
    InvertibleSequential,
    MergeStreams,
    SpaceToDepth,
    SplitChannels,
)

CHANNELS = 4


class Convolved(nn.Module):
    """A residual function to derive from."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.conv(x))


class OwnNorm(nn.BatchNorm2d):
    """A subclass, whose statistics PyTorch updates without telling autograd."""


class Remembering(Convolved):
    """Counts its calls, reads the count, keeps a list and a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.sizes = 0, []
        self.total = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.sizes.append(len(x))
        self.total += 1
        self.last = x.detach()
        return super().forward(x) / (self.calls + len(self.sizes) + self.total)


class Scaled(Convolved):
    """Reads a tensor that wants a gradient and is no parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * super().forward(x)


class Drawing(Convolved):
    """Draws from Python's, NumPy's and a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)

    def __deepcopy__(self, memo: Any) -> Drawing:
        other = Drawing()
        other.load_state_dict(self.state_dict())
        return other.to(self.conv.weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        own = torch.rand(x.shape, generator=self.generator, dtype=x.dtype)
        return super().forward(x) * own * random.random()


def chain(build: Callable[[], nn.Module] = Convolved, depth: int = 4) -> InvertibleSequential:
    torch.manual_seed(0)
    blocks = [InvertibleBlock(build()) for _ in range(depth)]
    return InvertibleSequential(SplitChannels(), *blocks, MergeStreams(), stored_last=1).double()


def image(batch: int = 3) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(batch, 2 * CHANNELS, 6, 6, dtype=torch.float64, requires_grad=True)


def plain_of(model: InvertibleSequential) -> InvertibleSequential:
    other = copy.deepcopy(model)
    for part in other.modules():
        if isinstance(part, InvertibleSequential):
            part.reversible = False
    return other


def gradients(
    model: nn.Module, x: Tensor, between: Callable[[], None] = lambda: None
) -> list[Tensor]:
    random.seed(5)
    torch.manual_seed(5)
    loss = model(x).square().mean()
    between()
    return list(torch.autograd.grad(loss, [x, *model.parameters()]))


def assert_same(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


RESIDUALS: dict[str, Callable[[], nn.Module]] = {
    "subclass of batch norm": lambda: nn.Sequential(Convolved(), OwnNorm(CHANNELS)),
    "instance norm with statistics": lambda: nn.Sequential(
        Convolved(), nn.InstanceNorm2d(CHANNELS, track_running_stats=True)
    ),
    "dropout": lambda: nn.Sequential(Convolved(), nn.Dropout(0.4)),
    "draws of its own": Drawing,
    "counts and remembers": Remembering,
    "weight norm": lambda: nn.utils.parametrizations.weight_norm(
        nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    ),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_whatever_f_keeps_is_as_if_it_had_run_once(name: str) -> None:
    model = chain(RESIDUALS[name])
    other, x = plain_of(model), image()
    for _ in range(2):
        assert_same(gradients(model, x), gradients(other, x))
    for one, two in zip(model.modules(), other.modules(), strict=True):
        assert_same(list(one._buffers.values()), list(two._buffers.values()))
        if isinstance(one, Remembering):
            assert isinstance(two, Remembering)
            assert (one.calls, one.sizes, float(one.total)) == (2, [3, 3], 2.0)
            torch.testing.assert_close(one.last, two.last)


def test_a_functional_call_has_the_gradients_of_its_tensors() -> None:
    model, x = chain(), image()
    other = plain_of(model)
    given = {n: (1.1 * p).detach().requires_grad_() for n, p in model.named_parameters()}
    found = []
    for net in (model, other):
        loss = functional_call(net, given, (x,)).square().mean()
        found.append(list(torch.autograd.grad(loss, [x, *given.values()])))
    assert_same(*found)


def test_a_step_inside_a_functional_call_can_be_differentiated() -> None:
    """First-order meta-learning: the tensors given are results themselves."""
    model, x, rate = chain(), image(), torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    found = []
    for net in (model, plain_of(model)):
        given = {n: p * (1 - rate) for n, p in net.named_parameters()}
        loss = functional_call(net, given, (x,)).square().mean()
        found.append(list(torch.autograd.grad(loss, [rate, *net.parameters()])))
    assert_same(*found)


def test_attributes_that_want_a_gradient_get_it() -> None:
    model, x = chain(Scaled), image()
    other, found = plain_of(model), []
    for net in (model, other):
        scales = [block.residual.scale for block in net if isinstance(block, InvertibleBlock)]
        found.append(list(torch.autograd.grad(net(x).square().mean(), scales)))
    assert_same(*found)


def test_a_tensor_from_elsewhere_is_refused() -> None:
    scale = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    class Closed(Convolved):
        def forward(self, x: Tensor) -> Tensor:
            return scale * super().forward(x)

    with pytest.raises(RuntimeError, match=r"wants a gradient.*reversible=False"):
        chain(Closed)(image()).sum().backward()


class Conditioned(Convolved):
    def forward(self, x: Tensor, condition: Tensor, factor: float) -> Tensor:
        return factor * super().forward(x) + condition


def nested_chain() -> InvertibleSequential:
    """Chains within a chain, and a block and a chain that were compiled."""
    split, *blocks, merge = chain(Conditioned, depth=8)
    inner = InvertibleSequential(InvertibleSequential(*blocks[:3], stored_last=0))
    block = torch.compile(blocks[3], backend="eager")
    whole = torch.compile(InvertibleSequential(*blocks[4:6]), backend="eager")
    return InvertibleSequential(split, inner, block, whole, *blocks[6:], merge, stored_last=0)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch.compile asks
@pytest.mark.parametrize("build", [lambda: chain(Conditioned), nested_chain])
def test_a_condition_reaches_every_f_and_gets_its_gradient(build: Any) -> None:
    model, x = build(), image()
    condition, found = torch.randn(3, CHANNELS, 1, 1, dtype=torch.float64, requires_grad=True), []
    for net in (model, plain_of(model)):
        loss = net(x, 2 * condition, 0.5).square().mean()
        found.append(list(torch.autograd.grad(loss, [x, condition, *net.parameters()])))
    assert_same(*found)
    model.eval()
    torch.testing.assert_close(model.inverse(model(x, condition, 0.5), condition, 0.5), x)


def test_modes_changed_before_backward_are_those_of_the_forward_pass() -> None:
    model, x = chain(RESIDUALS["dropout"]), image()
    other = plain_of(model)
    found = gradients(model, x, between=model.eval)
    assert not model[1].residual[1].training
    assert_same(found, gradients(other, x, between=other.eval))


def test_weights_changed_before_backward_are_refused() -> None:
    model, x = chain(), image()
    loss = model(x).sum()
    with torch.no_grad():
        model[1].residual.conv.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_weights_that_are_cached_have_their_gradients() -> None:
    model, x = chain(RESIDUALS["weight norm"]), image()
    expected = gradients(plain_of(model), x)
    with parametrize.cached():
        assert_same(gradients(model, x), expected)


def test_a_block_of_one_s_own_is_called_as_it_is() -> None:
    class Doubling(InvertibleBlock):
        def forward(self, streams: Any, *condition: Any) -> Any:
            return tuple(2 * s for s in super().forward(streams, *condition))

        def inverse(self, streams: Any, *condition: Any) -> Any:
            return super().inverse(tuple(s / 2 for s in streams), *condition)

    torch.manual_seed(0)
    blocks = [Doubling(Convolved()) for _ in range(3)]
    model = InvertibleSequential(SplitChannels(), *blocks, MergeStreams(), stored_last=0).double()
    x = image()
    torch.testing.assert_close(model.train()(x), model.eval()(x))
    assert_same(gradients(model.train(), x), gradients(plain_of(model), x))


def test_hooks_of_a_block_run() -> None:
    model, seen = chain(), []
    for block in model[1:5]:
        block.register_forward_hook(lambda *_: seen.append(1))
    model(image())
    assert len(seen) == 4


def test_threads_train_one_chain() -> None:
    model, x = chain(lambda: nn.Sequential(Convolved(), nn.BatchNorm2d(CHANNELS))), image()
    expected, failures = gradients(plain_of(model), x), []

    def work() -> None:
        try:
            for _ in range(5):
                loss = model(x).square().mean()
                assert_same(list(torch.autograd.grad(loss, [x, *model.parameters()])), expected)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("norm", [nn.Identity, lambda: nn.BatchNorm2d(CHANNELS)])
def test_an_empty_batch(norm: Callable[[], nn.Module]) -> None:
    model = chain(lambda: nn.Sequential(Convolved(), norm())).train()
    try:
        model(image(0)).sum().backward()
    except (ValueError, RuntimeError) as error:  # as PyTorch's batch norm
        assert "value" in str(error) or "batch" in str(error)  # noqa: PT017


def test_functional_transforms() -> None:
    model, x = chain(), image()
    other, weights = plain_of(model), dict(model.named_parameters())

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(model, weights, (x[None],)).square().mean()

    found = torch.vmap(torch.func.grad(loss), (None, 0))(weights, x.detach())
    for name, parameter in other.named_parameters():
        expected = [
            torch.autograd.grad(other(one[None]).square().mean(), parameter)[0] for one in x
        ]
        torch.testing.assert_close(found[name], torch.stack(expected))


def test_a_single_tensor_is_no_pair_of_streams() -> None:
    block = InvertibleBlock(Convolved())
    chained = InvertibleSequential(InvertibleBlock(Convolved()), stored_last=0)
    for use in (block, block.eval().inverse, chained):
        with pytest.raises(TypeError, match=r"pair of streams, got Tensor of shape \(2, 4, 5, 5\)"):
            use(torch.zeros(2, CHANNELS, 5, 5))


def test_slices_keep_the_options() -> None:
    model = chain(depth=8)
    model.reversible, model.stored_first, model.stored_last = False, 2, 3
    model.stored_narrow = 2
    part = model[2:]
    assert (part.reversible, part.stored_first, part.stored_last) == (False, 1, 3)
    assert (part.stored_narrow, model[:5].stored_narrow) == (2, 1)
    assert list(part) == list(model)[2:]
    assert (model[:3].stored_first, model[:3].stored_last) == (2, 1)


@pytest.mark.parametrize(("dim", "shape"), [(-1, (2, 5, 8)), (1, (2, 8, 5)), (None, (2, 8))])
def test_streams_along_any_axis(dim: int | None, shape: tuple[int, ...]) -> None:
    width = shape[dim or 1] // 2
    linear = nn.Linear(width, width) if dim != 1 else nn.Conv1d(width, width, 1)
    chain = InvertibleSequential(
        InjectivePad(2, dim=dim),
        SplitChannels(dim),
        InvertibleBlock(nn.Identity()),
        MergeStreams(dim),
    )
    x = torch.randn(shape)
    chain.eval()
    torch.testing.assert_close(chain.inverse(chain(x)), x)
    coupled = InvertibleSequential(SplitChannels(dim), InvertibleBlock(linear), MergeStreams(dim))
    first, second = x.chunk(2, 1 if dim is None else dim)
    expected = torch.cat([second, first + linear(second)], 1 if dim is None else dim)
    torch.testing.assert_close(coupled(x), expected)


def test_three_axes_want_to_know_their_channels() -> None:
    with pytest.raises(ValueError, match=r"dim=1 or dim=-1"):
        SplitChannels()(torch.zeros(2, 4, 6))


def test_the_log_determinant_is_that_of_the_jacobian() -> None:
    model = InvertibleSequential(SpaceToDepth(2), *chain(depth=2)).eval().double()
    x = torch.randn(2, 2, 4, 4, dtype=torch.float64)
    y, found = model.with_log_determinant(x)
    torch.testing.assert_close(y, model(x))
    jacobian = torch.func.jacrev(lambda one: model(one[None]).flatten())(x[0]).flatten(1)
    torch.testing.assert_close(found[0], torch.linalg.slogdet(jacobian)[1], atol=1e-9, rtol=0)
    with pytest.raises(ValueError, match="no bijection"):
        InvertibleSequential(InjectivePad(1)).with_log_determinant(x)
