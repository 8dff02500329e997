"""Cross-channel normalisation against torch's, by hand, and its gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.nn.cross_channel_norm import CrossChannelNorm


def test_equals_torch_s_with_alpha_times_size() -> None:
    x = torch.randn(2, 12, 4, 3)
    ours = CrossChannelNorm(12, size=5, k=1.5, alpha=0.1, beta=0.6)
    torchs = nn.LocalResponseNorm(5, alpha=0.5, beta=0.6, k=1.5)
    torch.testing.assert_close(ours(x), torchs(x))


def test_gradient_against_numerical_ones() -> None:
    layer = CrossChannelNorm(6, size=3, alpha=0.3).double()
    x = torch.randn(1, 6, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_value_by_hand() -> None:
    layer = CrossChannelNorm(2, size=3, k=1.0, alpha=1.0, beta=1.0)
    x = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    torch.testing.assert_close(layer(x).flatten(), torch.tensor([3 / 26, 4 / 26]))


def test_even_size_is_refused() -> None:
    with pytest.raises(ValueError, match="odd and positive, got 4"):
        CrossChannelNorm(8, size=4)
