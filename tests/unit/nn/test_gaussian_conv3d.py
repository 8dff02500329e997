"""`GaussianConv3d`: equal to the dense convolution; coarse grids within their stated error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from structnets.nn import GaussianConv3d
from structnets.nn import _volume_mixing as volume_mixing
from structnets.nn._coarse_grid import coarse_positions, interpolation
from structnets.nn._volume_grid import PassTree
from structnets.nn._volume_mixing import mixes_pairs

CASES = {
    "same": {"sigmas": (1.0, 2.0), "kernel_size": 9},
    "full": {"order": 2, "padding": "full"},
    "stride": {"sigmas": (1.0, 3.0), "kernel_size": 7, "stride": (1, 2, 1), "padding": (2, 0, 5)},
}
# Few inputs: filters first; many: mixes before the last pass.
CHANNELS = {"leaves": (1, 5), "pairs": (7, 2)}
SIZE = (11, 9, 12)


@pytest.fixture(params=CASES)
def options(request: pytest.FixtureRequest) -> dict:
    return CASES[request.param]


@pytest.fixture(params=CHANNELS)
def layer(request: pytest.FixtureRequest, options: dict) -> GaussianConv3d:
    torch.manual_seed(0)
    return GaussianConv3d(*CHANNELS[request.param], **options).double()


@pytest.fixture
def volumes(layer: GaussianConv3d) -> torch.Tensor:
    return torch.randn(2, layer.in_channels, *SIZE, dtype=torch.float64, requires_grad=True)


def relative_error(answer: torch.Tensor, exact: torch.Tensor) -> float:
    return float((answer - exact).norm() / exact.norm())


def test_equals_the_collapsed_convolution(layer: GaussianConv3d, volumes: torch.Tensor) -> None:
    plain = layer.collapse()
    torch.testing.assert_close(layer(volumes), plain(volumes), rtol=1e-10, atol=1e-10)
    assert layer.collapsed_parameters() == sum(p.numel() for p in plain.parameters())


def test_has_the_dense_gradients(layer: GaussianConv3d, volumes: torch.Tensor) -> None:
    g = torch.randn_like(layer(volumes))
    ours = torch.autograd.grad(layer(volumes), [volumes, layer.alpha], g)
    plain = nn.functional.conv3d(volumes, layer.kernel(), None, layer.stride, layer.padding)
    reference = torch.autograd.grad(plain, [volumes, layer.alpha], g)
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-9)


def test_mixed_responses_are_the_output(layer: GaussianConv3d, volumes: torch.Tensor) -> None:
    responses = layer.responses(volumes)
    assert not any(maps.requires_grad for maps in responses)
    mixed = torch.einsum("on,bnzyx->bozyx", layer.response_weights(SIZE), responses[0])
    torch.testing.assert_close(mixed + layer.bias[:, None, None, None], layer(volumes))


@pytest.mark.parametrize("channels", CHANNELS.values(), ids=CHANNELS)
def test_gradients_against_numerical_ones(channels: tuple[int, int]) -> None:
    layer = GaussianConv3d(*channels, order=1, kernel_size=3, coarse=1.0, sigmas=(1.0, 2.0))
    layer = layer.double()
    x = torch.randn(1, channels[0], 3, 4, 3, dtype=torch.float64, requires_grad=True)

    def function(x: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"alpha": alpha}, (x,))

    assert torch.autograd.gradcheck(function, (x, layer.alpha.detach().requires_grad_()))


def test_only_wanted_gradients_are_computed(layer: GaussianConv3d, volumes: torch.Tensor) -> None:
    layer(volumes.detach()).sum().backward()
    assert volumes.grad is None
    assert layer.alpha.grad is not None
    layer.alpha.requires_grad_(False)
    layer(volumes).sum().backward()
    assert volumes.grad is not None


@pytest.mark.parametrize("kept", [0, 2**26], ids=["computed again", "kept"])
def test_chunks_sum_to_the_whole(
    layer: GaussianConv3d, volumes: torch.Tensor, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = layer(volumes)
    wanted = [volumes, layer.alpha]
    grads = torch.autograd.grad(whole.square().sum(), wanted)
    monkeypatch.setattr(volume_mixing, "CHUNK_NUMBERS", 1)
    monkeypatch.setattr(volume_mixing, "CACHED_NUMBERS", 1)
    monkeypatch.setattr(volume_mixing, "KEPT_NUMBERS", kept)
    parts = layer(volumes)
    torch.testing.assert_close(parts, whole)
    torch.testing.assert_close(torch.autograd.grad(parts.square().sum(), wanted), grads)


def test_empty_batch_of_a_worker_without_share(layer: GaussianConv3d) -> None:
    out = layer(torch.zeros(0, layer.in_channels, *SIZE, dtype=torch.float64))
    out.sum().backward()
    assert out.shape == (0, layer.out_channels, *layer.output_size(SIZE))
    assert not layer.alpha.grad.any()


def test_single_precision_to_rounding() -> None:
    torch.manual_seed(0)
    layer = GaussianConv3d(2, 3, sigmas=(1.0, 4.0))
    x = torch.randn(1, 2, 20, 22, 20)
    torch.testing.assert_close(layer(x), layer.double()(x.double()).float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("support", "bound"), [(41, 2e-4), (25, 0.04)])
def test_coarse_grid_within_the_stated_error(support: int, bound: float) -> None:
    """Every atom of sigma 4, sampled at half its scale; five and three sigma of support."""
    torch.manual_seed(0)
    exact = GaussianConv3d(1, 1, sigmas=(1.0, 4.0), kernel_size=support)
    coarse = GaussianConv3d(1, 1, sigmas=(1.0, 4.0), kernel_size=support, coarse=0.5)
    x = torch.randn(1, 1, 45, 54, 45)
    fine, grid = coarse.grids(x.shape[2:])
    assert (fine.size, grid.size) == ((45, 54, 45), (23, 28, 23))
    lifted = grid.lift(coarse.responses(x)[1][0].flatten(1))
    whole = exact.grids(x.shape[2:])[0].order
    answers = exact.responses(x)[0][0].flatten(1)
    errors = [
        relative_error(lifted[i], answers[whole.index(atom)]) for i, atom in enumerate(grid.order)
    ]
    assert len(errors) == 19
    assert max(errors) < bound


@pytest.mark.parametrize(
    "options",
    [
        {"sigmas": 8.0, "kernel_size": 65, "stride": 2, "discretisation": "hybrid"},
        {"sigmas": (1.0, 4.0, 16.0)},
        {"sigmas": (1.0, 4.0), "order": 0},
    ],
    ids=["wide", "three scales", "order 0"],
)
def test_coarse_grids_beyond_the_borders_magnify_no_rounding(options: dict) -> None:
    torch.manual_seed(0)
    layer = GaussianConv3d(1, 2, padding="full", coarse=0.5, bias=False, **options)
    exact = GaussianConv3d(1, 2, padding="full", bias=False, **options)
    exact.load_state_dict(layer.state_dict())
    x = torch.randn(1, 1, 9, 8, 10)
    answers = [one(x).detach().flatten() for one in (layer, exact)]
    assert relative_error(*answers) < 0.06


@pytest.mark.parametrize(
    ("name", "value"), [("stride", (2, 2, 2)), ("dilation", (1, 1, 2)), ("coarse", 1.0)]
)
def test_what_a_layer_of_volumes_was_made_for_cannot_be_changed(name: str, value: object) -> None:
    layer = GaussianConv3d(1, 1, order=1)
    with pytest.raises(AttributeError, match=f"{name} of a GaussianConv3d cannot be changed from"):
        setattr(layer, name, value)


def test_coarse_positions_by_hand() -> None:
    assert coarse_positions(10, 3).tolist() == [0, 3, 6, 9]
    assert coarse_positions(9, 4).tolist() == [0, 4, 8]
    assert coarse_positions(4, 1).tolist() == [0, 1, 2, 3]


def test_interpolation_keeps_the_samples() -> None:
    bands = torch.randn(2, 6, 9, dtype=torch.float64)
    kept = coarse_positions(6, 2)
    lift = interpolation(bands, kept)
    torch.testing.assert_close(lift[kept], torch.eye(len(kept), dtype=torch.float64))


def test_impulse_answers_with_the_mixed_filter() -> None:
    """By hand: alpha selects the derivative along x, the impulse shows it flipped."""
    layer = GaussianConv3d(1, 1, order=1, bias=False)
    with torch.no_grad():
        layer.alpha.copy_(torch.tensor([[[0.0, 2.0, 0.0, 0.0]]]))
    x = torch.zeros(1, 1, 7, 7, 7)
    x[0, 0, 3, 3, 3] = 1
    expected = 2 * np.flip(layer.basis.kernels[1], (0, 1, 2))
    np.testing.assert_allclose(layer(x)[0, 0].detach(), expected, atol=1e-7)


def test_atoms_share_passes() -> None:
    """Third order: 4 passes along z and 10 along y for 20 atoms."""
    factors = GaussianConv3d(1, 1)._factors
    tree = PassTree(factors, 4)
    assert len({z for z, _ in tree.pairs}) == len(tree.lasts) == 4
    assert len(tree.pairs) == 10
    assert sorted(tree.order) == list(range(20))


def test_few_outputs_are_filtered_last() -> None:
    assert mixes_pairs(inputs=128, outputs=96, atoms=39, profiles=8)
    assert not mixes_pairs(inputs=1, outputs=128, atoms=58, profiles=12)


def test_initialisation_has_he_variance() -> None:
    torch.manual_seed(0)
    layer = GaussianConv3d(32, 32, sigmas=(1.0, 2.0), kernel_size=9)
    energy = layer.kernel().detach().square().sum((1, 2, 3, 4)).mean()
    assert float(energy) == pytest.approx(2, rel=0.1)


def test_number_of_atoms_of_the_thesis() -> None:
    counts = [len(GaussianConv3d(1, 1, sigmas=(1, 4, 16)[:n]).basis) for n in (3, 2, 1)]
    assert counts == [58, 39, 20]


def test_kernel_too_large_is_refused() -> None:
    layer = GaussianConv3d(1, 512, sigmas=(16.0,))
    with pytest.raises(ValueError, match="dense kernel of width 97 would hold 467,288,576 numbers"):
        layer.collapse()
    assert layer.collapsed_parameters() == 512 * 97**3 + 512


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels must be >= 1, got 0"),
        ({"coarse": -1.0}, "coarse must be > 0 or None, got -1"),
        ({"coarse": 0.5, "dilation": 2}, "coarse needs dilation=1, got 2"),
        ({"padding": "reflect"}, "one of same, valid, full; got 'reflect'"),
        ({"kernel_size": 4}, "odd and positive, got 4"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianConv3d(**{"in_channels": 1, "out_channels": 1, **arguments})


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"shape \(B, 3, D, H, W\), got \(1, 2, 5, 5, 5\)"):
        GaussianConv3d(3, 1)(torch.zeros(1, 2, 5, 5, 5))


def test_factors_that_are_no_basis_are_refused() -> None:
    with pytest.raises(ValueError, match="factors must be those of a Gaussian basis"):
        PassTree([(0, 0, 0), (0, 2, 0), (0, 1, 1)], 3)
