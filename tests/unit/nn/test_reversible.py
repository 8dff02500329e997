"""Reversible training equals plain autograd, in gradients, statistics, masks; in less memory."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import Bottleneck, InjectivePad, InvertibleBlock, InvertibleSequential

Found = tuple[Tensor, list[Tensor | None]]


def chain(depth: int = 6, width: int = 8, **options: Any) -> InvertibleSequential:
    """Build blocks none of which stores activations; the middle one down-samples."""
    torch.manual_seed(0)
    middle = depth // 2
    before = [Bottleneck(width, width, **options) for _ in range(middle)]
    between = Bottleneck(width, 4 * width, 2, **options)
    after = [Bottleneck(4 * width, 4 * width, **options) for _ in range(depth - middle)]
    return InvertibleSequential(
        *map(InvertibleBlock, before),
        InvertibleBlock(between, 2),
        *map(InvertibleBlock, after),
        stored_last=0,
    )


def plain_copy(model: InvertibleSequential) -> InvertibleSequential:
    other = copy.deepcopy(model)
    other.reversible = False
    return other


def streams_of(model: nn.Module, width: int = 8) -> list[Tensor]:
    dtype = next(model.parameters(), torch.empty(0, dtype=torch.float64)).dtype
    return [torch.randn(4, width, 8, 8, dtype=dtype, requires_grad=True) for _ in range(2)]


def step(model: nn.Module, streams: list[Tensor], seed: int = 1) -> Found:
    """Return the loss and the gradients of the streams and of all weights."""
    torch.manual_seed(seed)
    y, y_tilde = model(tuple(streams))
    loss = (y.float().square().mean() + y_tilde.float().tanh().mean()).to(y.dtype)
    wanted = [t for t in (*streams, *model.parameters()) if t.requires_grad]
    return loss.detach(), list(torch.autograd.grad(loss, wanted, allow_unused=True))


def assert_same(one: Found, two: Found, tolerance: float) -> None:
    torch.testing.assert_close(one[0], two[0], rtol=tolerance, atol=tolerance)
    for a, b in zip(one[1], two[1], strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert (a - b).norm() <= tolerance * b.norm().clamp_min(1e-12)


def assert_same_buffers(one: nn.Module, two: nn.Module) -> None:
    for (name, a), (_, b) in zip(one.named_buffers(), two.named_buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14, msg=name)


VARIANTS: dict[str, Callable[[], InvertibleSequential]] = {
    "1-3-1": chain,
    "3-3-3": lambda: chain(kernels=(3, 3, 3)),
    "dropout": lambda: chain(dropout=0.3),
    "in place first": lambda: with_residual(
        lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1))
    ),
    "spectral norm": lambda: with_residual(
        lambda: nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 8, 3, padding=1))
    ),
    "identity": lambda: with_residual(nn.Identity),
    "cumulative statistics": lambda: with_residual(
        lambda: nn.Sequential(nn.BatchNorm2d(8, momentum=None), nn.Tanh())
    ),
    "no weights": lambda: with_residual(lambda: nn.BatchNorm2d(8, affine=False)),
    "norm called twice": lambda: with_residual(lambda: nn.Sequential(*[nn.BatchNorm2d(8)] * 2)),
    "two stored": lambda: with_stored(2, 0),
    "first and last stored": lambda: with_stored(1, 2),
    "all stored": lambda: with_stored(4, 4),
    "narrow outputs of three": lambda: with_stored(1, 1, 3),
    "narrow outputs of all": lambda: with_stored(0, 0, 99),
    "narrow outputs, overwritten": lambda: with_narrow(overwritten),
    "narrow outputs, called twice": lambda: with_narrow(called_twice),
    "narrow outputs, no plain zeros": lambda: with_narrow(
        lambda: nn.Sequential(
            nn.Conv2d(8, 2, 3, padding="same"),
            nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"),
            nn.Conv2d(2, 8, 1),
        )
    ),
}


def with_residual(build: Callable[[], nn.Module]) -> InvertibleSequential:
    torch.manual_seed(0)
    return InvertibleSequential(*(InvertibleBlock(build()) for _ in range(3)), stored_last=0)


def with_stored(first: int, last: int, narrow: int = 0) -> InvertibleSequential:
    model = chain()
    model.stored_first, model.stored_last, model.stored_narrow = first, last, narrow
    return model


def with_narrow(build: Callable[[], nn.Module]) -> InvertibleSequential:
    model = with_residual(build)
    model.stored_narrow = 2
    return model


def overwritten() -> nn.Module:
    """The second function changes the narrow output in place."""
    return nn.Sequential(nn.Conv2d(8, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(2, 8, 1))


def called_twice() -> nn.Module:
    narrow = nn.Sequential(nn.Conv2d(8, 2, 3, 1, 1), nn.Tanh(), nn.Conv2d(2, 8, 1, groups=2))
    return nn.Sequential(narrow, nn.Tanh(), narrow)


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_equal_plain_autograd(name: str) -> None:
    model = VARIANTS[name]().double()
    other, streams = plain_copy(model), streams_of(model)
    for seed in range(3):
        assert_same(step(model, streams, seed), step(other, streams, seed), 1e-10)
    assert_same_buffers(model, other)


def test_zero_padded_streams_give_plain_gradients() -> None:
    """The first two blocks meet constant channels, where plain storage keeps them exact."""
    torch.manual_seed(0)
    model = chain(16).double()
    model.stored_first = 2
    image = torch.rand(4, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    padded = InjectivePad(13)(image)
    other = plain_copy(model)
    pairs = [list(padded.chunk(2, 1)) for _ in range(2)]
    assert_same(step(model, pairs[0]), step(other, pairs[1]), 1e-6)


def test_without_stored_blocks_zero_padding_is_a_trap() -> None:
    """Why `stored_first` is there: constant channels lie on the kink of ReLU."""
    model, x = chain(16).double(), torch.rand(4, 3, 8, 8, dtype=torch.float64)
    streams = [s.requires_grad_() for s in InjectivePad(13)(x).chunk(2, 1)]
    exact, found = step(plain_copy(model), streams)[1], step(model, streams)[1]
    wrong = [(a - b).norm() / b.norm() for a, b in zip(found, exact, strict=True) if b.norm() > 0]
    assert max(wrong) > 1e-3


def test_float32_gradients_are_near_double_s() -> None:
    """A recovered input off by 1e-6 puts a few activations on the other side of their kink."""
    model = chain(12)
    exact, streams = copy.deepcopy(model).double(), streams_of(model)
    loss, grads = step(model, streams)
    doubles = [s.detach().double().requires_grad_() for s in streams]
    found = loss.double(), [g.double() for g in grads if g is not None]
    assert_same(found, step(exact, doubles), 2e-2)


def test_running_statistics_are_updated_once() -> None:
    model = chain()
    streams = streams_of(model)
    for _ in range(2):
        step(model, streams)
    counts = {n: b for n, b in model.named_buffers() if n.endswith("num_batches_tracked")}
    assert set(map(int, counts.values())) == {2}


def test_shared_blocks_sum_their_gradients() -> None:
    torch.manual_seed(0)
    block = InvertibleBlock(Bottleneck(8, 8))
    model = InvertibleSequential(*[block] * 3).double()
    streams = streams_of(model)
    other = plain_copy(model)
    assert_same(step(model, streams), step(other, streams), 1e-10)


def test_frozen_weights_and_inputs_get_no_gradient() -> None:
    model = chain().double()
    for block in list(model)[:3]:
        block.requires_grad_(False)
    streams = [s.detach() for s in streams_of(model)]
    other = plain_copy(model)
    assert_same(step(model, streams), step(other, streams), 1e-10)
    model.requires_grad_(False)
    assert not model(tuple(streams))[0].requires_grad


def test_loss_on_one_stream_only() -> None:
    model = chain().double()
    other, streams = plain_copy(model), streams_of(model)
    found = []
    for net in (model, other):
        loss = net(tuple(streams))[0].square().mean()
        found.append((loss.detach(), list(torch.autograd.grad(loss, streams))))
    assert_same(found[0], found[1], 1e-10)


def test_two_forwards_before_a_backward() -> None:
    """Two images compared, as in a siamese net: each pass keeps its own masks."""
    model = chain(dropout=0.3).double()
    other, one, two = plain_copy(model), streams_of(model), streams_of(model)
    grads = []
    for net in (model, other):
        torch.manual_seed(3)
        loss = (net(tuple(one))[0] - net(tuple(two))[0]).square().mean()
        grads.append((loss.detach(), list(torch.autograd.grad(loss, one))))
    assert_same(grads[0], grads[1], 1e-10)


def test_second_backward_works_with_a_retained_graph_and_is_refused_without() -> None:
    model = chain(dropout=0.3)
    y, _ = model(tuple(streams_of(model)))
    weights = list(model.parameters())
    first = torch.autograd.grad(y.sum(), weights, retain_graph=True)
    second = torch.autograd.grad(y.sum(), weights)
    assert all(map(torch.equal, first, second))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.autograd.grad(y.sum(), weights)


def test_second_derivative_is_refused() -> None:
    model, streams = chain(), streams_of(chain())
    y, _ = model(tuple(streams))
    (grad,) = torch.autograd.grad(y.square().sum(), streams[0], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def test_backward_leaves_the_random_state_alone() -> None:
    model = chain(dropout=0.3)
    y, _ = model(tuple(streams_of(model)))
    before = torch.get_rng_state()
    y.sum().backward()
    assert torch.equal(torch.get_rng_state(), before)


def test_autocast_equals_plain_autocast() -> None:
    model = chain()
    other, streams = plain_copy(model), streams_of(model)
    found = []
    for net in (model, other):
        with torch.autocast("cpu", torch.bfloat16):
            found.append(step(net, streams))
    assert_same(found[0], found[1], 3e-2)
    assert all(g is not None and g.dtype == torch.float32 for g in found[0][1])


def test_gradients_are_found_when_modules_ran_before_in_the_same_autocast() -> None:
    """Weights that autocast has cast and cached without a graph would get no gradient."""
    model = chain()
    streams = streams_of(model)
    with torch.autocast("cpu", torch.bfloat16):
        step(model, streams)
        _, grads = step(plain_copy_sharing(model), streams)
    assert all(g is not None and g.norm() > 0 for g in grads[2:])


def plain_copy_sharing(model: InvertibleSequential) -> InvertibleSequential:
    return InvertibleSequential(*model, reversible=False)


def test_compiled_model_has_plain_gradients() -> None:
    model = chain(4).double()
    other, streams = plain_copy(model), streams_of(model)
    compiled = torch.compile(model, backend="aot_eager")
    assert_same(step(compiled, streams), step(other, streams), 1e-10)


def test_compiled_residual_functions_have_plain_gradients() -> None:
    """Its norms find their statistics again: another forward would be compiled at each step."""
    model = with_residual(
        lambda: nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.Tanh())
    )[:2].double()
    other, streams = plain_copy(model), streams_of(model)
    model.stored_last = 0  # a slice has the default
    for block in model:
        block.residual.compile(backend="aot_eager")
    assert_same(step(model, streams), step(other, streams), 1e-10)


def stored_bytes(model: nn.Module, streams: list[Tensor]) -> int:
    """Return the bytes autograd keeps between the passes, weights and inputs apart."""
    known = {t.data_ptr() for t in (*model.parameters(), *model.buffers(), *streams)}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in known:
            kept[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y, y_tilde = model(tuple(streams))
    assert y.requires_grad
    del y, y_tilde
    return sum(kept.values())


def test_stored_memory_does_not_grow_with_depth() -> None:
    measured = functools.partial(stored_bytes, streams=streams_of(chain(2)))
    shallow, deep = measured(chain(4)), measured(chain(16))
    assert deep == shallow
    assert measured(plain_copy(chain(16))) > 3 * measured(plain_copy(chain(4)))
    assert shallow < measured(with_stored(0, 1)) < measured(with_stored(0, 2))


def test_deep_net_trains_without_nan() -> None:
    """A hundred blocks, a learning rate that moves the weights, float32."""
    model = chain(100, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    streams, losses = streams_of(model, 4), []
    for _ in range(5):
        optimizer.zero_grad()
        y, y_tilde = model(tuple(streams))
        loss = (y - 1).square().mean() + y_tilde.square().mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    assert losses[-1] < losses[0]


def test_evaluation_runs_plainly() -> None:
    """In eval mode the graph is autograd's own, so that functional transforms work."""
    model = chain().eval()
    y, _ = model(tuple(streams_of(model)))
    assert "BlockNode" not in type(y.grad_fn).__name__


@pytest.mark.parametrize(
    ("residual", "says"),
    [
        (lambda: nn.LazyConv2d(8, 3, padding=1), "no weights before its first call"),
        (lambda: torch.jit.script(nn.Conv2d(8, 8, 3, padding=1)), "TorchScript"),
    ],
    ids=["lazy", "scripted"],
)
@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
def test_functions_that_cannot_be_called_again_are_refused(
    residual: Callable[[], nn.Module], says: str
) -> None:
    model = InvertibleSequential(*[InvertibleBlock(residual()) for _ in range(3)])
    streams = [torch.randn(2, 8, 4, 4, requires_grad=True) for _ in range(2)]
    with pytest.raises(RuntimeError, match=says):
        model(tuple(streams))
    with torch.no_grad():
        model(tuple(streams))
    if "first call" in says:
        assert_same(step(model, streams), step(plain_copy(model), streams), 1e-4)


def test_vmap_of_a_backward_pass_is_refused_and_batched_gradients_are_right() -> None:
    model = chain().double()
    streams = streams_of(model)
    y, _ = model(tuple(streams))
    cotangents = torch.randn(2, *y.shape, dtype=y.dtype)
    one_by_one = [torch.autograd.grad(y, streams[0], c, retain_graph=True)[0] for c in cotangents]
    (found,) = torch.autograd.grad(
        y, streams[0], cotangents, is_grads_batched=True, retain_graph=True
    )
    torch.testing.assert_close(found, torch.stack(one_by_one))
    with pytest.raises(RuntimeError, match="reversible=False"):
        torch.vmap(lambda c: torch.autograd.grad(y, streams[0], c, retain_graph=True)[0])(
            cotangents
        )
