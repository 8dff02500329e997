"""Filter and mix by pieces: long lines by blocks of their matrices, and learned scales' rates."""

from __future__ import annotations

import pytest
import torch

from structnets.nn import GaussianConv2d, _pieces
from structnets.nn._filter_matrices import Band
from structnets.nn._toeplitz import correlation_matrices

CASES = {
    "same": {},
    "stride": {"stride": 3},
    "dilated": {"dilation": 3, "padding": 2},
    "full": {"padding": "full"},
    "valid, groups": {"padding": "valid", "groups": 2},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", [{}, {"learn_sigma": True}, {"discretisation": "hybrid"}])
def test_long_lines_are_filtered_by_blocks(case: str, kind: dict, monkeypatch) -> None:
    monkeypatch.setattr(_pieces, "PIECE_NUMBERS", 90_000)  # several pieces an image
    torch.manual_seed(0)
    # Hybrid derivatives of order 4 at this scale are banded filters too: differences lose digits.
    options = {"order": 4 if "discretisation" in kind else 2, "sigmas": 1.6, **CASES[case], **kind}
    layer = GaussianConv2d(2, 4, way="pieces", dtype=torch.float32, **options)
    x = torch.randn(1, 2, 130, 99, requires_grad=True)
    wanted = [x, *layer.parameters()]
    out = layer(x)
    plain = torch.nn.functional.conv2d(
        x, layer.kernel(), layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups
    )
    torch.testing.assert_close(out, plain, rtol=1e-4, atol=1e-4)
    above = torch.randn_like(out)
    ours, theirs = (torch.autograd.grad(o, wanted, above) for o in (out, plain))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 3, 1), (2, 0, 2), (1, 60, 1)])
def test_blocks_leave_zeros_out_and_nothing_else(stride: int, padding: int, dilation: int) -> None:
    band = Band(150, 7, stride, padding, dilation)
    matrix = correlation_matrices(torch.ones(7), 150, padding, stride, dilation)
    left = matrix.clone()
    for _, rows, read in band.blocks(slice(5, len(matrix))):
        assert (read.stop - read.start) < 100
        left[rows, read] = 0
    assert left[5:].abs().sum() == 0


@pytest.mark.parametrize("discretisation", ["hybrid", "hybrid_integrated"])
@pytest.mark.parametrize("more", [{}, {"sigmas": (0.8, 1.4)}, {"groups": 2}, {"stride": 2}])
def test_gradient_of_the_scale_is_that_of_the_stated_filters(discretisation: str, more) -> None:
    torch.manual_seed(0)
    layer = GaussianConv2d(
        4, 6, order=2, discretisation=discretisation, learn_sigma=True, way="pieces", **more
    ).double()
    x, weights = torch.randn(2, 4, 14, 13, dtype=torch.float64), [layer.log_scale]
    plain = torch.nn.functional.conv2d(
        x, layer.kernel(), layer.bias, layer.stride, layer.padding, 1, layer.groups
    )
    ours, theirs = (torch.autograd.grad((o**2).sum(), weights) for o in (layer(x), plain))
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    layer.alpha.requires_grad_(False)  # and where the weights are not learned beside it
    torch.testing.assert_close(
        torch.autograd.grad((layer(x) ** 2).sum(), weights), theirs, rtol=1e-9, atol=1e-9
    )


def test_a_learned_scale_is_filtered_by_what_holds_its_digits_now() -> None:
    """Order 2 loses digits beyond scale 4: by differences until it is reached."""
    torch.manual_seed(0)
    layer = GaussianConv2d(8, 8, order=2, sigmas=4.0, discretisation="hybrid", learn_sigma=True)
    x = 1 + torch.randn(1, 8, 48, 48)
    ways = []
    for log_scale in (0.0, 0.4):
        with torch.no_grad():
            layer.log_scale.fill_(log_scale)
            work = layer.discretised_work(x, layer.work(x))
            exact = layer.double()(x.double())
        out = layer.float()(x).detach()
        assert float((out - exact).abs().max() / exact.abs().max()) < 2e-5
        ways.append((work.filtering, work.differences))
    assert ways == [("differences", True), ("banded", False)]
    assert len({key for key in layer.plan if "float32" in key}) == 2
