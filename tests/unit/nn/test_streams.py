"""Padding, splitting and merging: inverses, and what lies outside an injective map's range."""

from __future__ import annotations

import pytest
import torch

from structnets.nn import InjectivePad, LeftInverseWarning, MergeStreams, SplitChannels


@pytest.mark.parametrize("layer", [InjectivePad(5), InjectivePad(0), SplitChannels()])
def test_inverse_is_exact(layer: torch.nn.Module) -> None:
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(layer.inverse(layer(x)), x)


def test_padding_appends_zeros() -> None:
    y = InjectivePad(2)(torch.ones(1, 3, 1, 1))
    assert y.flatten().tolist() == [1, 1, 1, 0, 0]


def test_split_is_by_halves_and_merge_undoes_it() -> None:
    x = torch.arange(4.0)[None, :, None, None]
    first, second = SplitChannels()(x)
    assert (first.flatten().tolist(), second.flatten().tolist()) == ([0, 1], [2, 3])
    merge = MergeStreams()
    assert torch.equal(merge((first, second)), x)
    assert all(map(torch.equal, merge.inverse(x), (first, second)))


def test_a_point_outside_the_range_is_said_to_be() -> None:
    with pytest.warns(LeftInverseWarning, match=r"outside the range .* \(0.71 of its norm"):
        image = InjectivePad(1).inverse(torch.ones(1, 2, 4, 4))
    assert torch.equal(image, torch.ones(1, 1, 4, 4))


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="3 channels do not split into two equal streams"):
        SplitChannels()(torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match="extra must be >= 0, got -1"):
        InjectivePad(-1)
    with pytest.raises(ValueError, match="more than 3 channels are needed, got 3"):
        InjectivePad(3).inverse(torch.zeros(1, 3, 2, 2))
