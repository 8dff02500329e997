"""`InvertibleSequential`: inverses of stacks and their parts, NaN located, error paths."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.nn import (
    Bottleneck,
    InjectivePad,
    InvertibleBlock,
    InvertibleSequential,
    MergeStreams,
    SpaceToDepth,
    SplitChannels,
)


def stack(extra: int = 4) -> InvertibleSequential:
    torch.manual_seed(0)
    blocks = [InvertibleBlock(Bottleneck(8, 8)) for _ in range(3)]
    blocks.append(InvertibleBlock(Bottleneck(8, 32, 2), 2))
    return InvertibleSequential(
        SpaceToDepth(2), InjectivePad(extra), SplitChannels(), *blocks, MergeStreams()
    )


def seen(model: InvertibleSequential, batches: int = 5) -> InvertibleSequential:
    """Let batch norm see some batches, then put the model in eval mode."""
    with torch.no_grad():
        for _ in range(batches):
            model(torch.randn(8, 3, 8, 8).to(next(model.parameters())))
    return model.eval()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_inverse_of_a_whole_net(dtype: torch.dtype, tolerance: float) -> None:
    model, x = seen(stack().to(dtype)), torch.rand(2, 3, 8, 8, dtype=dtype)
    y = model(x)
    assert y.shape == (2, 64, 2, 2)
    torch.testing.assert_close(model.inverse(y), x, rtol=0, atol=tolerance)


def test_inverse_from_an_intermediate_depth() -> None:
    model, x = seen(stack()), torch.rand(2, 3, 8, 8)
    for depth in range(1, len(model) + 1):
        part = model[:depth]
        torch.testing.assert_close(part.inverse(part(x)), x, rtol=0, atol=1e-5)


def test_forward_of_the_inverse_of_a_bijective_net() -> None:
    model = seen(stack(4).double())[2:]
    y = torch.randn(2, 64, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(model(model.inverse(y)), y, rtol=0, atol=1e-12)


def test_nan_is_located() -> None:
    model, y = seen(stack()), torch.randn(2, 64, 2, 2) * 1e-3
    with torch.no_grad():
        model[4].residual.conv3.weight[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match=r"from module '4' on \(module 5 of 8"):
        model.inverse(y)
    y[0, 0, 0, 0] = float("inf")
    with pytest.raises(FloatingPointError, match="the point to invert itself holds NaN"):
        model.inverse(y)


def test_nan_is_located_in_a_module_that_occurs_twice() -> None:
    block = InvertibleBlock(nn.Conv2d(2, 2, 1))
    model = InvertibleSequential(block, block).eval()
    nn.init.constant_(block.residual.weight, 1e30)
    with pytest.raises(FloatingPointError, match=r"from module '0' on \(module 1 of 2"):
        model.inverse((torch.ones(1, 2, 1, 1), torch.ones(1, 2, 1, 1)))


def test_inverse_in_training_mode_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"inverse\(\) needs eval mode"):
        stack().inverse(torch.zeros(2, 64, 2, 2))


def test_module_without_inverse_is_refused() -> None:
    with pytest.raises(TypeError, match=r"1 \(ReLU\) has none"):
        InvertibleSequential(SpaceToDepth(2), nn.ReLU())


def test_negative_count_is_named() -> None:
    with pytest.raises(ValueError, match="stored_first must be >= 0, got -1"):
        InvertibleSequential(SpaceToDepth(2), stored_first=-1)
    with pytest.raises(ValueError, match="stored_last must be >= 0, got -2"):
        InvertibleSequential(SpaceToDepth(2), stored_last=-2)


def test_a_condition_that_no_block_takes_is_refused() -> None:
    model, x = InvertibleSequential(InvertibleSequential(SpaceToDepth(2))).eval(), torch.ones(1)
    for call in (model, model.inverse, model.with_log_determinant):
        with pytest.raises(TypeError, match="1 would be dropped: call it without them"):
            call(torch.zeros(1, 4, 4, 4), x)
