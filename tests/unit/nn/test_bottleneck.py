"""`Bottleneck`: sizes, the first block's missing activation, error paths."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.nn import Bottleneck


@pytest.mark.parametrize("kernels", [(1, 3, 1), (3, 3, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_shapes(kernels: tuple[int, int, int], stride: int) -> None:
    layer = Bottleneck(8, 16, stride, kernels)
    assert layer(torch.randn(2, 8, 6, 6)).shape == (2, 16, 6 // stride, 6 // stride)
    assert layer.conv2.weight.shape == (4, 4, kernels[1], kernels[1])
    assert not any(m.bias is not None for m in layer.modules() if isinstance(m, nn.Conv2d))


def test_input_is_not_written() -> None:
    x = torch.randn(2, 8, 6, 6)
    before = x.clone()
    for activate in (True, False):
        Bottleneck(8, 8, activate=activate)(x)
    assert torch.equal(x, before)
    assert Bottleneck(8, 8, activate=False).norm1 is None


def test_dropout_acts_before_the_third_norm() -> None:
    layer = Bottleneck(8, 8, dropout=1.0)
    assert torch.count_nonzero(layer(torch.randn(2, 8, 6, 6))) == 0


def test_bad_sizes_are_named() -> None:
    with pytest.raises(ValueError, match=r"three odd widths, got \[1, 2, 1\]"):
        Bottleneck(8, 8, kernels=(1, 2, 1))
    with pytest.raises(ValueError, match=r"out_channels must be at least 4, .*; got 3"):
        Bottleneck(8, 3)
