"""Hybrid derivatives and learned scales in `GaussianConv2d`: equal to the filters they state."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from structnets.bases.discretisation import DISCRETISATIONS
from structnets.bases.gaussian import GaussianBasis
from structnets.models.mnist_hybrid import rfnn_hybrid
from structnets.nn import GaussianConv2d, GaussianConv3d, _cost_model, _discretised_cost, _pieces
from structnets.nn._discretised_cost import possible_ways
from structnets.nn._learned_scale import derivative_profiles
from structnets.nn._toeplitz import correlation_matrices

CASES: dict[str, dict] = {
    "same": {},
    "stride": {"stride": (2, 1), "order": 3},
    "two scales": {"sigmas": (1.0, 1.7)},
    "groups": {"groups": 3, "sigmas": (0.8, 1.2)},
    "dilated": {"dilation": (2, 1), "order": 4},
    "reflected": {"padding_mode": "reflect", "padding": 3},
    "uneven support": {"kernel_size": (7, 9)},
    "full": {"padding": "full", "order": 3},
    "valid": {"padding": "valid", "order": 1},
    "unscaled": {"norm": "none", "sigmas": 1.6},
}
WAYS = ["auto", "pieces", "stencils"]
GENERAL = ["depthwise", "composed", "separable", "banded", "mixed", "fft", "pieces"]


def build(case: str, **more) -> tuple[GaussianConv2d, Tensor]:
    torch.manual_seed(0)
    options = {
        "order": 2,
        "discretisation": "hybrid",
        "dtype": torch.float64,
        **CASES[case],
        **more,
    }
    layer = GaussianConv2d(6, 9, **options)
    if layer.log_scale is not None:
        nn.init.normal_(layer.log_scale, std=0.3)
    return layer, torch.randn(2, 6, 17, 16, dtype=torch.float64, requires_grad=True)


def stated(layer: GaussianConv2d, x: Tensor) -> Tensor:
    """Convolve with the filters that the layer says it has."""
    padding = layer.padding
    if layer.padding_mode != "zeros":
        x, padding = nn.functional.pad(x, layer._margins, layer.padding_mode), 0
    return nn.functional.conv2d(
        x, layer.kernel(), layer.bias, layer.stride, padding, layer.dilation, layer.groups
    )


def compare(layer: GaussianConv2d, x: Tensor) -> None:
    """Compare output and all first derivatives with those of the stated filters."""
    wanted = [x, *layer.parameters()]
    out, expected = layer(x), stated(layer, x)
    torch.testing.assert_close(out, expected, rtol=1e-9, atol=1e-9)
    above = torch.randn_like(out)
    ours, theirs = (torch.autograd.grad(o, wanted, above) for o in (out, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_every_way_is_the_stated_convolution(case: str, way: str, monkeypatch) -> None:
    monkeypatch.setattr(_pieces, "PIECE_NUMBERS", 1500)  # several pieces an image
    if way == "pieces" and case == "groups":
        way = "stencils"
    compare(*build(case, way=way))


@pytest.mark.parametrize("learn", ["layer", "group", "channel"])
@pytest.mark.parametrize("discretisation", DISCRETISATIONS)
@pytest.mark.parametrize("case", ["same", "groups", "reflected", "unscaled"])
def test_learned_scales_are_the_stated_convolution(case: str, discretisation, learn) -> None:
    compare(*build(case, learn_sigma=learn, discretisation=discretisation))


@pytest.mark.parametrize("way", ["pieces", "stencils"])
def test_learned_scale_by_every_way(way: str) -> None:
    compare(*build("stride", way=way, learn_sigma=True))
    compare(*build("two scales", way=way, learn_sigma=True))


@pytest.mark.parametrize("discretisation", ["sampled", "hybrid"])
@pytest.mark.parametrize("way", GENERAL)
@pytest.mark.parametrize("case", ["full", "groups", "stride", "dilated"])
def test_learned_scale_by_the_ways_of_all_layers(case: str, way: str, discretisation) -> None:
    """Their matrices follow the scale, and so do gradients."""
    layer, x = build(case, way=way, learn_sigma=True, discretisation=discretisation)
    compare(layer, x)
    with torch.no_grad():  # a matrix that was kept would be of the old scale
        before = layer(x)
        layer.log_scale.add_(0.2)
    compare(layer, x)
    assert not torch.allclose(before, layer(x).detach())


@pytest.mark.parametrize("outputs", [9, 2000])
def test_tiny_and_short_maps_are_filtered_by_matrices(outputs: int) -> None:
    """Five pixels a side: with many outputs by one matrix, else by banded ones."""
    layer = GaussianConv2d(
        2, outputs, order=2, discretisation="hybrid", way="pieces", learn_sigma=True
    ).double()
    x = torch.randn(2, 2, 5, 5, dtype=torch.float64, requires_grad=True)
    compare(layer, x)


def test_channels_last_stays(monkeypatch) -> None:
    layer, x = build("same", way="pieces")
    last = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    compare(layer, last)
    assert layer(last).is_contiguous(memory_format=torch.channels_last)
    (gradient,) = torch.autograd.grad(layer(last).sum(), last)
    assert gradient.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("way", ["pieces", "stencils"])
def test_gradients_of_first_and_second_order_against_numerical_ones(way: str) -> None:
    layer = GaussianConv2d(
        1, 2, order=2, sigmas=0.8, discretisation="hybrid", learn_sigma=True, kernel_size=5, way=way
    ).double()
    names = [n for n, _ in layer.named_parameters()]

    def act(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), x)

    x = torch.randn(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    inputs = (x, *(p.detach().requires_grad_() for p in layer.parameters()))
    assert torch.autograd.gradcheck(act, inputs)
    assert torch.autograd.gradgradcheck(act, inputs)


@pytest.mark.parametrize("discretisation", DISCRETISATIONS)
def test_learned_filters_are_those_of_the_basis(discretisation) -> None:
    """The same taps twice: as constants in NumPy, and as functions of a learned scale."""
    radius = 9
    for sigma in (0.6, 1.0, 1.9):
        basis = GaussianBasis(4, (sigma,), 2 * radius + 1, discretisation=discretisation)
        found = derivative_profiles(
            torch.tensor(sigma, dtype=torch.float64), 4, radius, discretisation, True
        )
        # Constants end where the Gaussian is small enough, learned ones at the support's end.
        torch.testing.assert_close(found, torch.tensor(basis.profiles), rtol=0, atol=2e-3)
        wide = 2 * math.ceil(10 * sigma) + 1
        if wide <= 2 * radius + 1 and not discretisation.startswith("hybrid"):
            torch.testing.assert_close(found, torch.tensor(basis.profiles), rtol=1e-9, atol=1e-12)


def test_scales_begin_as_given_and_stay_within_the_factor() -> None:
    layer = GaussianConv2d(1, 1, sigmas=(1.0, 3.0), learn_sigma=True, sigma_factor=1.5)
    torch.testing.assert_close(layer.sigmas(), torch.tensor([1.0, 3.0]))
    with torch.no_grad():
        layer.log_scale.copy_(torch.tensor([-50.0, 50.0]))
    torch.testing.assert_close(layer.sigmas(), torch.tensor([1 / 1.5, 4.5]))
    with torch.no_grad():
        layer.log_scale.copy_(torch.tensor([0.01, -0.01]))
    torch.testing.assert_close(layer.sigmas(), torch.tensor([1.01, 2.97]), rtol=1e-3, atol=0)


def test_a_scale_can_be_learned_from_answers() -> None:
    """A layer finds the scale, 1.5, of the one that made its targets."""
    torch.manual_seed(0)
    target = GaussianConv2d(1, 1, order=2, sigmas=1.5, discretisation="hybrid", bias=False)
    layer = GaussianConv2d(
        1, 1, order=2, sigmas=1.0, discretisation="hybrid", bias=False, learn_sigma=True
    )
    layer.alpha.data.copy_(target.alpha)
    layer.alpha.requires_grad_(False)
    optimizer = torch.optim.Adam([layer.log_scale], lr=0.1)
    x = torch.randn(4, 1, 20, 20)
    for _ in range(100):
        optimizer.zero_grad()
        (layer(x) - target(x)).square().mean().backward()
        optimizer.step()
    assert float(layer.sigmas().detach()) == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(("order", "sigma"), [(2, 1.0), (2, 4.0), (3, 4.0), (4, 3.0), (4, 8.0)])
def test_single_precision_keeps_what_is_promised(order: int, sigma: float) -> None:
    """Differences of large scales magnify rounding: such layers filter in another way."""
    torch.manual_seed(0)
    layer = GaussianConv2d(16, 16, order=order, sigmas=sigma, discretisation="hybrid")
    x = 1 + torch.randn(1, 16, 32, 32)
    with torch.no_grad():
        exact = copy.deepcopy(layer).double()(x.double())
        error = (layer(x) - exact).abs().max() / exact.abs().max()
    assert float(error) < 2e-5


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_half_precision_is_as_exact_as_its_mixing(sigma: float, autocast: bool) -> None:
    """Smoothed maps rounded to bfloat16 before differences are taken would be off by far more."""
    torch.manual_seed(0)
    layer = GaussianConv2d(8, 8, order=2, sigmas=sigma, discretisation="hybrid", padding=17)
    x = 1 + torch.randn(1, 8, 24, 24)
    exact = layer(x).detach()
    if autocast:
        with torch.autocast("cpu", torch.bfloat16):
            found = layer(x)
    else:
        found = layer.bfloat16()(x.bfloat16())
    assert found.dtype == torch.bfloat16
    assert float((found.detach().float() - exact).abs().max() / exact.abs().max()) < 0.02


def layer_for_uses(learn: bool, way: str = "auto") -> tuple[GaussianConv2d, Tensor]:
    torch.manual_seed(0)
    layer = GaussianConv2d(16, 16, order=2, discretisation="hybrid", learn_sigma=learn, way=way)
    return layer, torch.randn(2, 16, 20, 20)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")  # by torch.func.jvp
@pytest.mark.parametrize("way", ["auto", "pieces", "banded"])
@pytest.mark.parametrize("learn", [False, True])
def test_ordinary_uses(learn: bool, way: str) -> None:
    layer, x = layer_for_uses(learn, way)
    expected = layer(x)
    with torch.inference_mode():
        layer(x)
    (gradient,) = torch.autograd.grad(layer(x).sum(), layer.alpha)
    torch.testing.assert_close(copy.deepcopy(layer)(x), expected)
    names = {"alpha", "bias", *(["log_scale"] if learn else [])}
    assert set(layer.state_dict()) == names
    with torch.device("meta"):
        empty = GaussianConv2d(16, 16, order=2, discretisation="hybrid", learn_sigma=learn)
        assert empty(torch.empty(2, 16, 20, 20)).shape == expected.shape
    empty.to_empty(device="cpu").load_state_dict(layer.state_dict())
    torch.testing.assert_close(empty(x), expected)
    assert layer(x[:0]).shape == (0, 16, 20, 20)
    layer(x[:0]).sum().backward()
    torch.testing.assert_close(layer(x[0]), expected[0])
    plain = torch.func.grad(
        lambda alpha: torch.func.functional_call(layer, {"alpha": alpha}, x).sum()
    )(layer.alpha.detach())
    torch.testing.assert_close(plain, gradient, rtol=1e-4, atol=1e-4)
    each = torch.func.vmap(lambda one: layer(one[None])[0])(x)
    torch.testing.assert_close(each, expected, rtol=1e-4, atol=1e-5)
    _, change = torch.func.jvp(layer, (x,), (x,))
    bias = layer.bias.detach()[:, None, None]
    torch.testing.assert_close(change, expected - bias, rtol=1e-4, atol=1e-5)


def test_choices_are_planned_and_handed_on() -> None:
    layer, x = layer_for_uses(learn=False)
    layer(x)
    (key,) = layer.plan
    sampled = GaussianConv2d(16, 16, order=2)
    for other, kept in ((layer_for_uses(learn=False)[0], {key: "stencils"}), (sampled, {})):
        other.set_plan({key: "stencils", "elsewhere": "unknown"})
        assert other.plan == kept
        torch.testing.assert_close(other(x), other.collapse()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("learn", "layer", "side", "way"),
    [
        (False, 1, 13, "mixed"),
        (False, 2, 9, "mixed"),
        (True, 1, 13, "stencils"),
        (True, 2, 9, "mixed"),
    ],
)
def test_small_enlarged_maps_are_not_smoothed_image_by_image(
    learn: bool, layer: int, side: int, way: str
) -> None:
    """The second and third layer of the net, which lays its maps out channels last, at batch 25."""
    net = rfnn_hybrid(learn_sigma=learn)
    convolution = [m for m in net.modules() if isinstance(m, GaussianConv2d)][layer]
    x = torch.zeros(25, 64, side, side).contiguous(memory_format=torch.channels_last)
    assert convolution.way_for(x.requires_grad_()) == way


def test_trainings_that_are_to_be_repeated_keep_their_way(monkeypatch) -> None:
    layer = GaussianConv2d(16, 16, order=2)
    x = torch.zeros(4, 16, 16, 16, requires_grad=True)
    work = layer.discretised_work(x, layer.work(x))
    monkeypatch.setattr(
        _discretised_cost, "estimate_discretised", lambda _, way: float(way != "pieces")
    )
    assert _discretised_cost.cheapest_discretised(work, "cpu") == "pieces"
    kept = _cost_model.cheapest(work.whole, "cpu")
    assert _discretised_cost.cheapest_discretised(work, "cpu", repeatable=True) == kept != "pieces"
    repeated = GaussianConv2d(16, 16, order=2, way="repeatable")
    assert repeated.way_for(x) == kept
    torch.testing.assert_close(repeated(x), repeated.collapse()(x))
    with torch.no_grad():
        assert repeated.way_for(x) == layer.way_for(x)


def test_a_way_that_would_lose_digits_is_never_chosen() -> None:
    layer = GaussianConv2d(8, 8, order=4, sigmas=3.0, discretisation="hybrid")
    work = layer.discretised_work(x := torch.zeros(1, 8, 16, 16), layer.work(x))
    assert "stencils" not in possible_ways(work)
    exact = layer.double()
    work = exact.discretised_work(x.double(), exact.work(x.double()))
    assert "stencils" in possible_ways(work)


@pytest.mark.parametrize("learn", [False, True])
def test_export_with_a_dynamic_batch(learn: bool) -> None:
    layer, x = layer_for_uses(learn)
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    many = torch.randn(5, 16, 20, 20)
    torch.testing.assert_close(program.module()(many), layer(many), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_compiled() -> None:
    layer, x = layer_for_uses(learn=True)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)
    parameters = list(layer.parameters())
    found, expected = compiled(x), layer(x)  # compiled before any other call
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    above = torch.randn_like(expected)
    ours, theirs = (torch.autograd.grad(o, parameters, above) for o in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("learn", [False, True])
def test_collapse_is_the_same_function(learn: bool) -> None:
    layer, x = layer_for_uses(learn)
    torch.testing.assert_close(layer.collapse()(x), layer(x), rtol=1e-4, atol=1e-5)


def test_collapse_of_a_learned_scale_leaves_its_empty_rim_out() -> None:
    layer, x = build("same", learn_sigma=True, sigma_factor=8.0)
    with torch.no_grad():
        layer.log_scale.fill_(-0.5)
    plain = layer.collapse()
    assert plain.kernel_size[0] < layer.kernel_size[0] - 10
    assert layer.collapsed_parameters() == sum(p.numel() for p in plain.parameters())
    torch.testing.assert_close(plain(x), layer(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_volumes(stride: int) -> None:
    layer = GaussianConv3d(2, 3, order=2, sigmas=0.8, discretisation="hybrid", stride=stride)
    x = torch.randn(1, 2, 7, 9, 8)
    torch.testing.assert_close(layer(x), layer.collapse()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("stride", "dilation", "padding"), [(1, 1, 2), (2, 1, 0), (3, 2, 9)])
def test_matrix_is_the_correlation(stride: int, dilation: int, padding: int) -> None:
    profile, line = torch.randn(1, 5), torch.randn(1, 1, 14)
    expected = nn.functional.conv1d(
        line, profile[None], stride=stride, padding=padding, dilation=dilation
    )
    matrix = correlation_matrices(profile, 14, padding, stride, dilation)[0]
    torch.testing.assert_close(matrix @ line[0, 0], expected[0, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"discretisation": "exact"}, "discretisation must be one of .*; got 'exact'"),
        ({"learn_sigma": "pixel"}, "learn_sigma must be a bool or one of .*; got 'pixel'"),
        ({"learn_sigma": True, "sigma_factor": 1.0}, "sigma_factor must be .*> 1, got 1.0"),
        *(
            ({"learn_sigma": True, "sigma_factor": n, "kernel_size": 7}, "sigma_factor must be")
            for n in (1.0, 0.0, -2.0, float("inf"), float("nan"))
        ),
        ({"way": "stencils"}, "way must be auto or one of .*; got 'stencils'"),
        ({"discretisation": "hybrid", "kernel_size": 3}, "order 3 need a kernel_size of at least"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianConv2d(1, 1, **arguments)


@pytest.mark.parametrize("learn", [False, True], ids=["fixed", "learned"])
def test_pieces_give_gradients_for_many_at_once(learn: bool) -> None:
    layer = GaussianConv2d(
        4, 6, order=2, discretisation="hybrid", way="pieces", learn_sigma=learn
    ).double()
    x = torch.randn(2, 4, 12, 12, dtype=torch.float64, requires_grad=True)
    out, wanted = layer(x), [x, *layer.parameters()]
    many = torch.randn(3, *out.shape, dtype=torch.float64)
    found = torch.autograd.grad(out, wanted, many, is_grads_batched=True, retain_graph=True)
    singly = [torch.autograd.grad(out, wanted, one, retain_graph=True) for one in many]
    for together, one_by_one in zip(found, zip(*singly, strict=True), strict=True):
        torch.testing.assert_close(together, torch.stack(one_by_one))
