"""HCNN by the letter of section 5.4: one norm a layer, between the factors; a sum of classes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.models.counting import collapsed_parameters, trained_parameters
from structnets.models.hcnn import HCNN, ClassMean, hcnn
from structnets.models.hcnn_text import ClassSum, hcnn_text
from structnets.nn.hierarchical_block import HierarchicalBlock, NewestNorm

SMALL = {"values": 4, "terms": 4, "depth": 6, "downsampling": (4,)}


def norms(model: HCNN) -> tuple[int, int]:
    """Count norms between h and g, and behind g."""
    blocks = [layer for layer in model.layers if isinstance(layer, HierarchicalBlock)]
    between = sum(isinstance(block.conv.norm, nn.modules.batchnorm._BatchNorm) for block in blocks)
    return between, sum(isinstance(layer, NewestNorm) for layer in model.modules())


def test_the_text_normalises_between_the_factors_alone() -> None:
    assert norms(hcnn_text()) == (9, 0)
    assert norms(hcnn()) == (9, 11)
    assert norms(hcnn_text(norms="both")) == (9, 11)


def test_scores_are_bounded_with_the_second_norm_alone() -> None:
    """A norm on the class layer holds ELU's means within fixed bounds, whatever is learned."""
    torch.manual_seed(0)
    images = torch.randn(8, 3, 32, 32)
    for build, bounded in ((hcnn, True), (hcnn_text, False)):
        model = build(**SMALL).train()
        last = model.layers[-1]
        assert isinstance(last, HierarchicalBlock)
        spans = []
        for factor in (1.0, 100.0):
            with torch.no_grad():
                last.conv.attribute.mul_(factor)
                spans.append(float(model(images).abs().max()))
        assert (spans[1] < 2 * spans[0]) is bounded


@pytest.mark.parametrize(("classes", "count"), [(10, 97_650), (100, 250_308)])
def test_weights_are_counted_as_the_thesis_does(classes: int, count: int) -> None:
    assert collapsed_parameters(hcnn_text(classes)) == count
    assert trained_parameters(hcnn_text(classes)) == trained_parameters(hcnn(classes))


def test_the_sum_is_the_mean_times_the_places() -> None:
    array = torch.randn(2, 4, 4, 1, 2, 10)
    torch.testing.assert_close(ClassSum()(array), 32 * ClassMean()(array))
    torch.manual_seed(0)
    summed = hcnn_text(classes="sum", **SMALL)
    torch.manual_seed(0)
    mean = hcnn_text(**SMALL)
    first, second = (model.get_parameter("layers.4.conv.attribute") for model in (summed, mean))
    torch.testing.assert_close(first * 16 * 16 * 1 * 2, second)


@pytest.mark.parametrize("option", ["norms", "classes"])
def test_mistakes_are_named(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be one of .*; got 'none'"):
        hcnn_text(**{option: "none"})  # type: ignore[arg-type]
