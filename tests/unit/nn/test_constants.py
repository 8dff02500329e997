"""Constants that are no part of a state dict: right in whatever way a layer got its weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from structnets.nn import (
    DynamicSteerableBlock,
    FrameConv2d,
    GaussianConv2d,
    GaussianConv3d,
    HarmonicConv2d,
)
from structnets.nn.cross_channel_norm import CrossChannelNorm

LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "gaussian": (lambda: GaussianConv2d(2, 3, order=2), (2, 2, 9, 8)),
    "hybrid": (lambda: GaussianConv2d(2, 3, order=2, discretisation="hybrid"), (2, 2, 9, 8)),
    "volumes": (lambda: GaussianConv3d(2, 3, order=1, kernel_size=3), (2, 2, 4, 5, 6)),
    "frame": (lambda: FrameConv2d(2, 3, 3, frame="gaussian"), (2, 2, 9, 8)),
    "harmonic": (lambda: HarmonicConv2d(2, 3), (2, 2, 2, 2, 7, 7)),
    "steerable": (lambda: DynamicSteerableBlock(2, 3), (2, 2, 9, 8)),
    "norm": (lambda: nn.Sequential(nn.Conv2d(2, 12, 1), CrossChannelNorm(12)), (2, 2, 9, 8)),
}


def built(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    build, shape = LAYERS[name]
    return build().eval(), torch.randn(shape, dtype=torch.float64)


def assert_exact(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", LAYERS)
def test_exact_for_weights_of_double_precision_in_a_functional_call(name: str) -> None:
    layer, x = built(name)
    state = {**dict(layer.named_parameters()), **dict(layer.named_buffers())}
    given = {n: t.double() if t.is_floating_point() else t for n, t in state.items()}
    given = {n: t for n, t in given.items() if n in layer.state_dict()}
    found = functional_call(layer, given, (x,))
    assert_exact(found, layer.double()(x))


@pytest.mark.parametrize("name", LAYERS)
def test_exact_where_double_weights_are_assigned_to_an_empty_layer(name: str) -> None:
    layer, x = built(name)
    layer.double()
    with torch.device("meta"):
        other = LAYERS[name][0]().eval()
    other.load_state_dict(layer.state_dict(), assign=True)
    assert_exact(other(x), layer(x))


def test_volumes_of_a_subclass_of_tensor() -> None:
    class Named(Tensor): ...

    layer, x = built("volumes")
    layer.double()
    found = layer(x.as_subclass(Named))
    assert_exact(found.as_subclass(Tensor), layer(x))


@pytest.mark.filterwarnings("ignore:.*jit.script.*:FutureWarning")  # of PyTorch's own rules
def test_forward_over_reverse_derivatives_of_damped_angles_are_refused() -> None:
    layer, x = built("steerable")
    layer.double()

    def gradient(x: Tensor) -> Tensor:
        return torch.func.grad(lambda x: layer(x).square().mean())(x)

    with pytest.raises(RuntimeError, match="angle_damping=0"):
        torch.func.jvp(gradient, (x,), (x,))
