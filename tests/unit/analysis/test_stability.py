"""Stability reports: conditions by hand, stable nets pass, unstable ones are warned of."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

from structnets.analysis.jacobian import exact_spectrum
from structnets.analysis.stability import (
    StabilityWarning,
    condition,
    lipschitz,
    stability_report,
)
from structnets.models.irevnet import IRevNet
from structnets.nn import InvertibleBlock, InvertibleSequential, MergeStreams, SplitChannels


def coupling(weight: torch.Tensor) -> nn.Conv2d:
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False).double()
    layer.weight.data = weight[:, :, None, None].double()
    return layer


def test_lipschitz_of_a_matrix_is_its_norm() -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 4, dtype=torch.float64)
    x = torch.randn(2, 4, 3, 3, dtype=torch.float64)
    found = lipschitz(coupling(weight), x, iterations=100)
    assert found == pytest.approx(float(torch.linalg.matrix_norm(weight, 2)), rel=1e-6)


def test_condition_is_that_of_the_block_s_differential() -> None:
    torch.manual_seed(0)
    weight = torch.randn(3, 3, dtype=torch.float64)
    block = InvertibleBlock(coupling(weight))
    stack = InvertibleSequential(SplitChannels(), block, MergeStreams()).eval()
    values = exact_spectrum(stack, torch.randn(1, 6, 1, 1, dtype=torch.float64)).values
    stretch = float(torch.linalg.matrix_norm(weight, 2))
    assert condition(stretch) == pytest.approx(float(values[0] / values[-1]))
    assert condition(0) == 1


def test_an_ordinary_net_is_invertible_in_single_precision(
    net: IRevNet, images: torch.Tensor
) -> None:
    report = stability_report(net.features, images, precisions=[torch.float32])
    assert report.is_invertible_in("float32")
    assert report.errors["float32"] < 1e-5
    assert [block.name for block in report.blocks] == ["2", "3", "4", "5"]
    assert all(block.condition >= 1 for block in report.blocks)
    assert report.log10_bound > 0


def test_an_amplifying_net_is_warned_of(net: IRevNet, images: torch.Tensor) -> None:
    amplifying = copy.deepcopy(net.features)
    for block in amplifying:
        if isinstance(block, InvertibleBlock):
            block.residual.conv3.weight.data *= 1e3
    with pytest.warns(StabilityWarning, match="in float32 this net cannot be inverted: .* block"):
        report = stability_report(amplifying, images, precisions=[torch.float32])
    assert not report.is_invertible_in("float32")
    ordinary = stability_report(net.features, images, precisions=[torch.float32])
    assert report.log10_bound > ordinary.log10_bound + 4


def test_errors_that_are_not_finite_count_as_failure(net: IRevNet, images: torch.Tensor) -> None:
    broken = copy.deepcopy(net.features)
    broken[3].residual.conv3.weight.data[0] = float("nan")
    with pytest.warns(StabilityWarning, match="error of nan"):
        report = stability_report(broken, images, precisions=[torch.float32])
    assert not report.is_invertible_in("float32")


def test_half_precision_is_reported_beside_single(
    injective_net: IRevNet, images: torch.Tensor
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StabilityWarning)
        report = stability_report(injective_net.features, images)
    assert report.errors["bfloat16"] > 100 * report.errors["float32"]
    assert set(report.blocks[0].errors) == {"float32", "bfloat16"}


def test_training_mode_is_refused(net: IRevNet, images: torch.Tensor) -> None:
    features = copy.deepcopy(net.features).train()
    with pytest.raises(ValueError, match="must be in eval mode"):
        stability_report(features, images)


def test_blocks_within_a_chain_of_their_own_are_refused_and_any_streams_measured() -> None:
    block = InvertibleBlock(nn.Linear(3, 3).double())
    inner = InvertibleSequential(block)
    with pytest.raises(ValueError, match="1 is an InvertibleSequential of its own"):
        stability_report(
            InvertibleSequential(SplitChannels(), inner, MergeStreams()).eval(), torch.ones(1, 6)
        )
    stretch = lipschitz(block.residual, torch.randn(2, 5, 3, dtype=torch.float64), iterations=100)
    weight = block.residual.weight.detach()
    assert stretch == pytest.approx(float(torch.linalg.matrix_norm(weight, 2)), rel=1e-6)
