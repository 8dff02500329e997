"""`GaussianConv2d`: all ways agree, with each other and with the plain convolution."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from structnets.nn import GaussianConv2d, chosen_ways, set_chosen_ways
from structnets.nn import _evaluation as evaluation
from structnets.nn._banded import banded_matrices
from structnets.nn._convolution_arguments import Padding
from structnets.nn._cost_model import cheapest, count_taps
from structnets.nn._evaluation import WAYS, fast_length

CASES = {
    "same": ({"order": 3, "sigmas": (1.0, 2.0), "kernel_size": 9}, (14, 14)),
    "full": ({"order": 2, "padding": "full"}, (13, 13)),
    "stride": ({"order": 3, "sigmas": (1.0, 2.0), "kernel_size": 9, "stride": 2}, (12, 17)),
    "valid, cut": ({"order": 4, "kernel_size": 5, "padding": "valid"}, (9, 8)),
    "groups": ({"order": 2, "groups": 3, "padding": "full"}, (9, 8)),
    "dilated": ({"order": 2, "dilation": (2, 3), "stride": (1, 2)}, (19, 21)),
    "uneven support": ({"order": 2, "kernel_size": (5, 9), "sigmas": 1.2}, (11, 10)),
    "reflected": ({"order": 1, "padding_mode": "reflect", "dilation": 2}, (9, 8)),
    "circular, in groups": ({"order": 1, "padding_mode": "circular", "groups": 3}, (9, 8)),
    "uneven": ({"order": 2, "stride": (2, 1), "padding": (1, 5)}, (11, 6)),
}


def build(case: str, way: str = "auto") -> tuple[GaussianConv2d, torch.Tensor]:
    torch.manual_seed(0)
    options, size = CASES[case]
    return GaussianConv2d(3, 6, way=way, **options), torch.randn(2, 3, *size)


@pytest.mark.parametrize("way", [*WAYS, "auto"])
@pytest.mark.parametrize("case", CASES)
def test_every_way_equals_the_collapsed_convolution(case: str, way: str) -> None:
    layer, x = build(case, way)
    torch.testing.assert_close(layer(x), layer.collapse()(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_every_way_has_the_collapsed_convolution_s_gradients(case: str, way: str) -> None:
    layer, x = build(case, way)
    x.requires_grad_()
    g = torch.randn_like(layer(x))
    ours = torch.autograd.grad(layer(x), [x, layer.alpha], g)
    plain = torch.func.functional_call(layer.collapse(), {"weight": layer.kernel()}, x)
    reference = torch.autograd.grad(plain, [x, layer.alpha], g)
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_gradients_against_numerical_ones(way: str) -> None:
    layer = GaussianConv2d(2, 2, order=1, kernel_size=3, way=way, padding="full").double()
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    alpha = layer.alpha.detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, a: WAYS[way](x, a, layer.atoms), (x, alpha))


def test_banded_matrix_is_the_correlation() -> None:
    profile, line = torch.randn(1, 5), torch.randn(1, 1, 9)
    expected = nn.functional.conv1d(line, profile[None], stride=2, padding=3)
    matrix = banded_matrices(profile, 9, 2, 3)[0]
    torch.testing.assert_close(matrix @ line[0, 0], expected[0, 0])


def test_impulse_answers_with_the_mixed_filter() -> None:
    """By hand: alpha selects the x derivative, the impulse shows it flipped."""
    layer = GaussianConv2d(1, 1, order=1, bias=False)
    with torch.no_grad():
        layer.alpha.copy_(torch.tensor([[[0.0, 2.0, 0.0]]]))
    x = torch.zeros(1, 1, 7, 7)
    x[0, 0, 3, 3] = 1
    expected = 2 * np.flip(layer.basis.kernels[1], (0, 1))
    np.testing.assert_allclose(layer(x)[0, 0].detach(), expected, atol=1e-7)


def test_initialisation_has_he_variance() -> None:
    torch.manual_seed(0)
    layer = GaussianConv2d(64, 64, order=3, sigmas=(1.5,))
    energy = layer.kernel().detach().square().sum((1, 2, 3)).mean()
    assert float(energy) == pytest.approx(2, rel=0.1)


def test_parameters_are_the_alphas() -> None:
    layer = GaussianConv2d(3, 5, order=3, bias=False)
    assert {n: tuple(p.shape) for n, p in layer.named_parameters()} == {"alpha": (5, 3, 10)}
    assert "kernels" not in layer.state_dict()


def test_the_chosen_ways_are_handed_on_beside_the_weights() -> None:
    layer, x = build("full")
    layer(x)
    other, _ = build("full")
    layer.plan = dict.fromkeys(layer.plan, "fft")
    set_chosen_ways(nn.Sequential(other), chosen_ways(nn.Sequential(layer)))
    assert other.way_for(x) == "fft"
    assert all(map(torch.is_tensor, layer.state_dict().values()))


def test_files_of_the_first_edition_load_with_their_ways() -> None:
    layer, x = build("full")
    layer(x)
    other, _ = build("full")
    ways = {**dict.fromkeys(layer.plan, "fft"), "elsewhere": "unknown"}
    other.load_state_dict({**layer.state_dict(), "_extra_state": ways})
    assert other.plan == dict.fromkeys(layer.plan, "fft")


def test_the_plan_is_bounded() -> None:
    layer = GaussianConv2d(1, 1, order=1)
    for number in range(2000):
        layer.choose(str(number), lambda: "composed")
    assert len(layer.plan) <= 1024


def test_the_choice_depends_on_shape_and_gradients_only() -> None:
    layer, x = build("full")
    assert layer.way_for(x) == layer.way_for(torch.zeros_like(x))
    assert len(layer.plan) == 1
    with torch.no_grad():
        layer.way_for(x)
    assert len(layer.plan) == 2


def test_enlarging_layers_mix_first() -> None:
    """The MNIST net's second layer: mixing on 13x13 maps spares most of the 19x19 work."""
    layer = GaussianConv2d(64, 64, order=2, padding="full")
    work = layer.work(torch.zeros(25, 64, 13, 13, requires_grad=True))
    assert cheapest(work, "cpu") == "mixed"


def test_taps_that_meet_padding_are_not_counted() -> None:
    """By hand: three samples, width 3, full padding: 1 + 2 + 3 + 2 + 1."""
    assert count_taps(3, 3, 1, 2, 5) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels must be >= 1, got 0"),
        ({"way": "magic"}, "way must be auto or one of .*got 'magic'"),
        ({"padding": "reflect"}, "one of same, valid, full; got 'reflect'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianConv2d(**{"in_channels": 1, "out_channels": 1, **arguments})


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"shape \(B, 3, H, W\), got \(1, 2, 5, 5\)"):
        GaussianConv2d(3, 1)(torch.zeros(1, 2, 5, 5))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("learn_sigma", [False, True])
def test_maps_smaller_than_the_filters_are_refused_by_pytorch(way: str, learn_sigma: bool) -> None:
    layer = GaussianConv2d(2, 3, padding="valid", way=way, learn_sigma=learn_sigma)
    with pytest.raises(RuntimeError, match="Kernel size can't be greater than actual input size"):
        layer(torch.zeros(1, 2, 5, 4))


def test_mixing_a_part_of_the_batch_at_a_time_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer, x = GaussianConv2d(3, 4, order=2, way="mixed"), torch.randn(5, 3, 6, 7)
    with torch.no_grad():
        whole = layer(x)
        monkeypatch.setattr(evaluation, "MOST_MIXED", 300)
        torch.testing.assert_close(layer(x), whole)


@pytest.mark.parametrize(
    ("name", "value"),
    [("stride", (2, 2)), ("dilation", (2, 2)), ("padding", (0, 0)), ("sigma_factor", 3.0)],
)
def test_what_a_layer_was_made_for_cannot_be_changed(name: str, value: object) -> None:
    """Ways that keep matrices would go on with the old numbers, others with the new."""
    layer = copy.deepcopy(GaussianConv2d(1, 1, learn_sigma=True))
    setattr(layer, name, getattr(layer, name))
    with pytest.raises(AttributeError, match=f"{name} of a GaussianConv2d cannot be changed from"):
        setattr(layer, name, value)
    layer.way = "composed"


@pytest.mark.parametrize(
    ("length", "fast"), [(1, 2), (6, 6), (7, 8), (94, 96), (98, 100), (386, 400)]
)
def test_spectra_have_lengths_of_small_factors(length: int, fast: int) -> None:
    assert fast_length(length) == fast


@pytest.mark.parametrize(
    ("side", "size", "padding"),
    [(5, 7, "same"), (9, 7, "full"), (14, 7, "valid"), (9, 5, 9), (31, 11, 2), (8, 9, 5)],
)
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_products_of_spectra_go_round_beyond_the_padding(
    side: int, size: int, padding: Padding, stride: int, dilation: int
) -> None:
    geometry = {"padding": padding, "stride": stride, "dilation": dilation}
    layer = GaussianConv2d(2, 3, order=1, kernel_size=size, **geometry, dtype=torch.float64)
    x = torch.randn(2, 2, side, side + 5, dtype=torch.float64)
    plain = layer.collapse()(x)
    layer.way = "fft"
    torch.testing.assert_close(layer(x), plain)
