"""Hierarchical, steerable and invertible layers of any options equal plain autograd's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from structnets.nn import (
    DynamicSteerableBlock,
    GaussianConv2d,
    HierarchicalConv,
    InjectivePad,
    InvertibleBlock,
    InvertibleSequential,
    MergeStreams,
    Pose,
    SpaceToDepth,
    SplitChannels,
)
from structnets.nn._hierarchical_cost import WAYS
from tests.matrix.variants.drawing import (
    DTYPES,
    LOW,
    assert_as,
    examples,
    gradients_of,
    outcome,
    tensor,
)

pytestmark = pytest.mark.slow
ODD = st.sampled_from([1, 3, 5])


def compare(
    pair: tuple[nn.Module, nn.Module],
    given_: Tensor,
    dtype: torch.dtype,
    *rest: Tensor,
    gradients: bool = True,
    plain: nn.Module | None = None,
) -> None:
    """Compare output, gradients and what is remembered of a module and of another way.

    The other is in double precision, or of the same precision where randomness must be equal; in
    half precision a `plain` one of the same says how far off that alone is.
    """
    module, other = pair
    nets = {"found": module, "expected": other} | ({} if plain is None else {"plain": plain})
    answers: dict[str, Any] = {}
    for name, net in nets.items():
        precision = next(net.parameters(), given_).dtype
        x = given_.detach().to(precision).requires_grad_()
        extra = [r.detach().to(precision).requires_grad_() for r in rest]
        torch.manual_seed(3)
        out = outcome(lambda net=net, x=x, extra=extra: net(x, *extra))
        answers[name] = out if isinstance(out, Exception) else [out]
        if not isinstance(out, Exception) and out.numel() and gradients:
            wanted = [x, *extra, *(p for p in net.parameters() if p.requires_grad)]
            answers[name] += gradients_of(out, wanted)
    found, expected = answers["found"], answers["expected"]
    if isinstance(expected, Exception):
        assert isinstance(found, Exception), (found, expected)
        return
    if isinstance(found, Exception):
        raise AssertionError("the twin does it") from found
    beside = answers.get("plain", [None] * len(found))
    for number, (one, two, three) in enumerate(zip(found, expected, beside, strict=True)):
        assert_as(one, two, dtype, f"number {number}", three)
    if plain is not None:
        return
    others = dict(other.named_buffers())
    for name, one in module.named_buffers():
        two = others[name]
        if one.is_floating_point():
            assert_as(one, two, one.dtype, f"buffer {name}")
        else:
            assert torch.equal(one, two), name


@st.composite
def hierarchical(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "values": draw(st.integers(1, 4)),
        "terms": draw(st.integers(1, 4)),
        "support": (draw(ODD), draw(ODD)),
        "kernel_size": draw(ODD),
        "stride": draw(st.integers(1, 3)),
        "subsampling": (draw(st.integers(1, 3)), draw(st.integers(1, 2))),
        "padding": draw(st.sampled_from(["zeros", "circular"])),
        "reduction": draw(st.sampled_from(["sum", "mean"])),
        "activation": draw(st.booleans()),
        "affine": draw(st.booleans()),
        "way": draw(st.sampled_from(["auto", *WAYS])),
    }


@examples(150)
@given(
    hierarchical(),
    st.tuples(*[st.integers(1, 5)] * 2, *[st.integers(1, 4)] * 3),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
    DTYPES,
)
def test_hierarchical(
    options: Any, sizes: Any, batch: int, outgoing: bool, training: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    layer = outcome(lambda: HierarchicalConv(**options))
    if isinstance(layer, Exception):
        assert isinstance(layer, ValueError), layer
        return
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    nn.init.uniform_(layer.norm.running_var, 0.5, 2)
    layer = layer.to(dtype).train(training)
    other, plain = copy.deepcopy(layer).double(), None
    other.way = "plain"
    if dtype in LOW:
        plain = copy.deepcopy(layer)
        plain.way = "plain"
    sizes = sizes if outgoing else (*sizes[:2], *sizes[3:])
    x = tensor((batch, *sizes)).to(dtype)
    # A normalised handful of patches divides by next to nothing, which magnifies rounding.
    compare((layer, other), x, dtype, gradients=not (plain and training), plain=plain)
    if not training and not options["activation"]:
        compare((layer.collapse(), other), x, dtype, gradients=False, plain=plain)


@st.composite
def steerable(draw: st.DrawFn) -> dict[str, Any]:
    poses = draw(st.sampled_from([1, 2]))
    return {
        "in_channels": poses * draw(st.integers(1, 2)),
        "out_channels": draw(st.integers(1, 3)),
        "order": draw(st.integers(0, 4)),
        "rotation": draw(st.booleans()),
        "scale": draw(st.booleans()),
        "sigmas": draw(st.sampled_from([(0.8, 1.5), (1.0, 1.0), (0.5, 2.0)])),
        "nodes": draw(st.integers(1, 4)),
        "kernel_size": draw(st.sampled_from([None, 3, 5])),
        "poses": draw(st.sampled_from([None, poses])),
        "direction": draw(st.booleans()),
        "amplitude": draw(st.booleans()),
        "polar": draw(st.booleans()),
        "gauge": draw(st.booleans()),
        "steering": draw(st.booleans()),
        "pose_layers": draw(st.integers(1, 2)),
        "dilation": draw(st.integers(1, 2)),
        "bias": draw(st.booleans()),
        "angle_damping": draw(st.sampled_from([0.0, 1e-2])),
    }


@examples(80)
@given(
    steerable(),
    st.tuples(*[st.sampled_from([1, 2, 5, 8])] * 2),
    st.booleans(),
    st.sampled_from([torch.float64, torch.float32]),
)
def test_steerable(options: Any, sizes: Any, last: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    block = outcome(lambda: DynamicSteerableBlock(units=3, **options))
    if isinstance(block, Exception):
        assert isinstance(block, ValueError), block
        return
    block = block.to(dtype).eval()
    x = tensor((2, block.in_channels, *sizes)).to(dtype)
    if last:
        x = x.contiguous(memory_format=torch.channels_last)
    exact = copy.deepcopy(block).double()
    compare((block, exact), x, dtype)
    _check_derivative(exact, x.double())
    if block.steering and not block.gauge:
        _check_constant_pose(exact, x.double())


def _check_derivative(block: DynamicSteerableBlock, x: Tensor) -> None:
    """Compare with differences where the gradients are meant to be the derivatives."""
    if block.angle_damping and block.direction:
        return
    x.requires_grad_()
    direction, step = tensor(x.shape, 5), 1e-6
    weights = tensor(block(x).shape, 6)
    (grad,) = torch.autograd.grad((block(x) * weights).sum(), x)
    with torch.no_grad():
        ahead, behind = (block(x + s * direction) for s in (step, -step))
    numeric = ((ahead - behind) * weights).sum() / (2 * step)
    torch.testing.assert_close((grad * direction).sum(), numeric, rtol=1e-3, atol=1e-5)


@torch.no_grad()
def _check_constant_pose(block: DynamicSteerableBlock, x: Tensor) -> None:
    """Compare with a plain convolution, which a block in one pose everywhere is."""
    sigma = block.nodes.sigmas[0] if block.scale else None
    angle = 0.7 if block.rotation else 0.0
    like = x.new_ones(len(x), block.poses, *x.shape[2:])
    pose = Pose(
        angle=like * angle if block.rotation else None,
        sigma=like * sigma if sigma is not None else None,
    )
    found = block.combine(block.frame_maps(x), pose)
    kernel = block.kernel(angle, sigma)
    expected = nn.functional.conv2d(x, kernel, block.features.bias, padding=kernel.shape[-1] // 2)
    assert_as(found, expected, torch.float64, "constant pose")


class Conditioned(nn.Module):
    """F with one more argument."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return torch.tanh(self.conv(x) + condition)


class Counting(nn.Module):
    """F that remembers what it met."""

    seen: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 1)
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += x.detach().square().mean()
        return torch.sin(self.conv(x)) * (1 + self.seen)


RESIDUALS: dict[str, Callable[[int], nn.Module]] = {
    "convolution": lambda width: nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.Tanh()),
    "narrow": lambda width: nn.Sequential(
        nn.Conv2d(width, max(1, width // 4), 3, padding=1),
        nn.Tanh(),
        nn.Conv2d(max(1, width // 4), width, 1),
    ),
    # Without a bias, whose gradient before a norm is nothing but rounding.
    "drop": lambda width: nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout(0.3),
    ),
    "norm": lambda width: nn.Sequential(
        nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, width, 1, bias=False)
    ),
    "gaussian": lambda width: nn.Sequential(GaussianConv2d(width, width, order=2), nn.Tanh()),
    "hybrid": lambda width: nn.Sequential(
        GaussianConv2d(width, width, order=2, discretisation="hybrid", learn_sigma=True), nn.Tanh()
    ),
    "steerable": lambda width: DynamicSteerableBlock(width, width, order=1, units=2),
    "counting": Counting,
    "dropout": lambda width: nn.Sequential(nn.Conv2d(width, width, 1), nn.Dropout2d(0.5)),
}


@st.composite
def chains(draw: st.DrawFn) -> tuple[Callable[[], nn.Module], int, bool]:
    """A chain that may be built again, its channels, and whether it takes a condition."""
    conditioned = draw(st.booleans()) and draw(st.booleans())
    width = draw(st.sampled_from([1, 2]))
    pad = draw(st.sampled_from([0, 0, 2]))
    space = draw(st.sampled_from([1, 1, 2]))
    kinds = draw(st.lists(st.sampled_from(list(RESIDUALS)), min_size=1, max_size=4))
    twice = draw(st.booleans()) and draw(st.booleans())
    options = {
        "stored_first": draw(st.integers(0, 2)),
        "stored_last": draw(st.integers(0, 2)),
        "stored_narrow": draw(st.integers(0, 3)),
    }
    channels = (2 * width * space**2 + pad * space**2) // 2

    def build() -> nn.Module:
        torch.manual_seed(0)
        blocks = [
            InvertibleBlock(Conditioned(channels) if conditioned else RESIDUALS[kind](channels))
            for kind in kinds
        ]
        if twice:
            blocks.append(blocks[0])
        first = [*([InjectivePad(pad)] if pad else []), SpaceToDepth(space), SplitChannels()]
        return InvertibleSequential(*first, *blocks, MergeStreams(), **options)

    return build, 2 * width, conditioned


@examples(90)
@given(
    chains(),
    st.tuples(*[st.sampled_from([2, 4, 6])] * 2),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([torch.float64, torch.float64, torch.float32]),
)
def test_chains(chain: Any, sizes: Any, batch: int, training: bool, dtype: torch.dtype) -> None:
    build, channels, conditioned = chain
    module = build().to(dtype).train(training)
    stored = build().to(dtype).train(training)
    stored.reversible = False
    x = tensor((batch, channels, *sizes)).to(dtype)
    inner = x.new_zeros(1) if not conditioned else tensor((1, 1, 1, 1), 4).to(dtype)
    compare((module, stored), x, dtype, *([inner] if conditioned else []))
    if not training:
        given_ = [inner] if conditioned else []
        counts = any(isinstance(part, Counting) for part in module.modules())
        back = module.inverse(module(x, *given_), *given_) if not counts else x
        assert_as(back.detach(), x, dtype, "inverse")
