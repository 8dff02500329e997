"""`InvertibleBlock`: Eq. 39 by hand, its inverse for any F, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.nn import Bottleneck, InvertibleBlock

STEM = (2, 8, 6, 6)


def residuals() -> dict[str, tuple[nn.Module, int]]:
    """Residual functions F for 8 channels, with the down-sampling they are made for."""
    return {
        "linear": (nn.Conv2d(8, 8, 3, padding=1), 1),
        "bottleneck": (Bottleneck(8, 8), 1),
        "strided": (Bottleneck(8, 32, 2, (3, 3, 3), 0.1), 2),
        "by three": (nn.Conv2d(8, 72, 3, stride=3), 3),
        "in place first": (nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(8, 8, 1)), 1),
        "identity": (nn.Identity(), 1),
        "not differentiable": (Steps(), 1),
    }


class Steps(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (3 * x).round()


@pytest.mark.parametrize("name", residuals())
def test_inverse_for_any_residual_function(name: str) -> None:
    torch.manual_seed(0)
    block = InvertibleBlock(*residuals()[name]).double().eval()
    streams = torch.randn(2, *STEM, dtype=torch.float64)
    x, x_tilde = streams.clone()
    back = block.inverse(block((x, x_tilde)))
    torch.testing.assert_close(torch.stack(back), streams, rtol=0, atol=1e-13)


def test_equation_by_hand() -> None:
    """F doubles: (x, x~) goes to (x~, x + 2 x~)."""
    double = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(double.weight, 2.0)
    y, y_tilde = InvertibleBlock(double)((torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 3.0)))
    assert (y.item(), y_tilde.item()) == (3.0, 7.0)


def test_both_streams_are_down_sampled() -> None:
    block = InvertibleBlock(Bottleneck(8, 32, 2), 2)
    y, y_tilde = block((torch.zeros(STEM), torch.zeros(STEM)))
    assert y.shape == y_tilde.shape == (2, 32, 3, 3)


def test_inverse_in_training_mode_is_refused() -> None:
    block, zeros = InvertibleBlock(nn.Identity()), torch.zeros(STEM)
    with pytest.raises(RuntimeError, match=r"needs eval mode: .*batch norm depends on the batch"):
        block.inverse((zeros, zeros))


def test_residual_of_another_shape_is_named() -> None:
    """A map of one pixel would broadcast."""
    block, zeros = InvertibleBlock(nn.AdaptiveAvgPool2d(1)), torch.zeros(STEM)
    message = r"must return the shape .*\(2, 8, 6, 6\); got \(2, 8, 1, 1\)"
    with pytest.raises(ValueError, match=message):
        block((zeros, zeros))
    with pytest.raises(ValueError, match=message):
        block.eval().inverse((zeros, zeros))


class WritesInput(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu_()


def test_functional_write_into_the_stream_is_refused() -> None:
    block, zeros = InvertibleBlock(WritesInput()), torch.zeros(STEM)
    with pytest.raises(RuntimeError, match=r"WritesInput, the residual function .* wrote into"):
        block((zeros, zeros))


def test_a_function_without_parameters_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError, match=r"residual must be an nn\.Module"):
        InvertibleBlock(torch.relu)


def test_works_in_inference_mode() -> None:
    with torch.inference_mode():
        block, streams = InvertibleBlock(nn.ReLU()).eval(), (torch.ones(STEM), torch.ones(STEM))
        assert all(map(torch.equal, block.inverse(block(streams)), streams))
