"""`HierarchicalConv`: every way is the operator's definition; it is covariant; its gradients."""

from __future__ import annotations

import contextlib
import copy

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import AttributeConv, HierarchicalConv
from structnets.nn._hierarchical_cost import WAYS, HierarchicalWork, cheapest_way, possible
from tests.unit.nn.direct_hierarchy import direct

CASES = {
    "zeros": {},
    "plus": {"activation": True, "affine": True},
    "circular": {"padding": "circular", "reduction": "mean", "affine": True},
    "circular plus": {"padding": "circular", "activation": True, "stride": 2},
    "stride, mean": {"stride": 2, "reduction": "mean"},
    "wider than the axis": {"support": (11, 9), "activation": True},
    "unsubsampled, 1x1": {"subsampling": (1, 1), "kernel_size": 1},
}
EXACT = {"rtol": 1e-5, "atol": 1e-5}


def build(case: str, way: str = "plain") -> HierarchicalConv:
    """A layer with five values and six terms, its statistics unlike 0 and 1."""
    torch.manual_seed(0)
    layer = HierarchicalConv(5, 6, **{"support": (3, 5), **CASES[case]})
    with torch.no_grad():
        layer.norm.running_mean.normal_()
        layer.norm.running_var.uniform_(0.5, 2)
        if layer.norm.affine:
            layer.norm.weight.normal_()
            layer.norm.bias.normal_()
    layer.way = way
    return layer


def array() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(2, 6, 5, 3, 4, 8) + 0.5


def ways_of(layer: HierarchicalConv) -> list[str]:
    return possible(layer.work(array().sum(3)))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("case", CASES)
def test_every_way_is_the_definition(case: str, training: bool) -> None:
    expected = direct(build(case).train(training), array())
    assert "plain" in ways_of(build(case))
    for way in ways_of(build(case)):
        found = build(case, way).train(training)(array())
        torch.testing.assert_close(found, expected, **EXACT)


@pytest.mark.parametrize("case", CASES)
def test_every_way_has_the_plain_one_s_gradients_and_statistics(case: str) -> None:
    def results(way: str) -> list[Tensor]:
        layer, x = build(case, way), array().requires_grad_()
        out = layer(x)
        torch.manual_seed(2)
        grads = torch.autograd.grad(out, [x, *layer.parameters()], torch.randn(out.shape))
        buffers = [buffer.float() for buffer in layer.norm.buffers()]
        return [part / part.abs().max() for part in (*grads, *buffers)]

    expected = results("plain")
    for way in ways_of(build(case))[1:]:
        for one, other in zip(results(way), expected, strict=True):
            torch.testing.assert_close(one, other, **EXACT)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("way", WAYS[1:])
def test_gradients_against_numerical_ones(way: str, training: bool) -> None:
    torch.manual_seed(0)
    plus = way.startswith("fused")
    layer = HierarchicalConv(2, 2, (3, 3), activation=plus, affine=True, way=way).double()
    layer.train(training)
    with torch.no_grad():
        for filters in (layer.spatial, layer.attribute):
            filters.mul_(10)
    x = torch.randn(2, 2, 3, 2, 4, dtype=torch.float64, requires_grad=True)
    parameters = dict(layer.named_parameters())

    def apply(x: Tensor, *values: Tensor) -> Tensor:
        chosen = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(layer, chosen, (x,))

    assert torch.autograd.gradcheck(apply, (x, *parameters.values()))


def rolled(x: Tensor, *shifts: int) -> Tensor:
    """Translate an array along (u1, u2, v_a, v_b), circularly."""
    return x.roll(shifts, (1, 2, 3, 4))


@pytest.mark.parametrize("activation", [False, True])
@pytest.mark.parametrize("shifts", [(1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 3), (2, 1, 3, 5)])
def test_unsubsampled_operator_is_covariant(activation: bool, shifts: tuple[int, ...]) -> None:
    layer = HierarchicalConv(
        5, 6, (3, 5), subsampling=(1, 1), padding="circular", activation=activation
    ).eval()
    x = array().sum(3)
    torch.testing.assert_close(layer(rolled(x, *shifts)), rolled(layer(x), *shifts), **EXACT)


@pytest.mark.parametrize("shifts", [(1, 0, 0, 0), (0, 2, 1, 0), (0, 0, 0, 3), (2, 1, 1, 2)])
def test_subsampled_operator_is_covariant_in_steps(shifts: tuple[int, ...]) -> None:
    layer = HierarchicalConv(5, 6, (3, 5), stride=2, padding="circular", activation=True).eval()
    x = array()[:, :, :4].sum(3)
    steps = [2 * shift for shift in shifts]
    torch.testing.assert_close(layer(rolled(x, *steps)), rolled(layer(x), *shifts), **EXACT)


def test_marginal_is_invariant_to_translations_of_the_outgoing_attribute() -> None:
    layer, x = build("zeros").eval(), array()
    torch.testing.assert_close(layer(x.roll(1, 3)), layer(x), **EXACT)


def test_impulse_answers_with_both_filters() -> None:
    """By hand: one place, one term, running statistics 0 and 1: h(0) g around the impulse."""
    layer = HierarchicalConv(1, 1, (3, 3), subsampling=(1, 1), eps=0.0).eval()
    x = torch.zeros(1, 1, 1, 3, 3)
    x[0, 0, 0, 1, 1] = 2
    expected = 2 * layer.spatial[0, 1, 1] * layer.attribute[0, 0].flip(0, 1)
    torch.testing.assert_close(layer(x)[0, 0, 0, :, :, 0], expected)


@pytest.mark.parametrize("way", WAYS)
def test_gradient_of_a_single_place_is_the_slope(way: str) -> None:
    layer = HierarchicalConv(1, 4, kernel_size=1, support=(1, 1)).double().eval()
    layer.way = way
    x = torch.randn(1, 1, 2, 1, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize("case", ["zeros", "circular", "stride, mean", "unsubsampled, 1x1"])
def test_collapsed_layer_is_equal(case: str) -> None:
    layer = build(case).eval()
    plain = layer.collapse()
    torch.testing.assert_close(plain(array()), layer(array()), **EXACT)
    torch.testing.assert_close(plain.weight.data, layer.kernel().data)
    assert plain.weight.numel() == layer.collapsed_parameters()


def test_plus_has_no_collapsed_filters() -> None:
    layer = build("plus")
    for attempt in (layer.kernel, layer.collapse):
        with pytest.raises(ValueError, match="ELU between h and g"):
            attempt()
    assert layer.collapsed_parameters() == sum(p.numel() for p in layer.parameters())


def test_statistics_are_those_of_batch_norm() -> None:
    layer, x = build("plus", "fused-band"), array()
    reference = nn.BatchNorm2d(6, layer.norm.eps, layer.norm.momentum)
    reference.load_state_dict(layer.norm.state_dict())
    slices = x.sum(3).permute(0, 3, 4, 1, 2).reshape(-1, 1, 6, 5)
    for _ in range(3):
        layer(x)
        reference(nn.functional.conv2d(slices, layer.spatial[:, None], padding=1))
    assert layer.norm.state_dict().keys() == reference.state_dict().keys()
    for name, value in reference.state_dict().items():
        torch.testing.assert_close(layer.norm.state_dict()[name], value, **EXACT)


def test_statistics_of_arrays_far_from_zero() -> None:
    """Deviations, not squares: a mean of 100 leaves the variance its digits."""
    layer, x = build("zeros", "fused-band"), array() + 100
    torch.testing.assert_close(
        layer(x), build("zeros").double()(x.double()).float(), rtol=0, atol=1e-2
    )


def test_small_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = build("plus", "fused-band")
    expected = layer(array())
    monkeypatch.setattr("structnets.nn._fused_convolution.PIECE_BYTES", 1)
    monkeypatch.setattr("structnets.nn._spatial_patches.MOMENT_PLACES", 7)
    torch.testing.assert_close(copy.deepcopy(layer)(array()), expected, **EXACT)


def test_autocast_stays_out_of_the_moments() -> None:
    layer = build("plus", "fused-conv")
    expected = layer(array())
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer(array()), expected.bfloat16())


def test_files_of_the_first_edition_load_with_their_ways() -> None:
    layer, other = build("plus", "auto"), build("plus", "auto")
    layer(array())
    assert all(map(torch.is_tensor, layer.state_dict().values()))
    (key,) = layer.plan
    ways = {key: "fused-conv", "elsewhere": "unknown"}
    other.load_state_dict({**layer.state_dict(), "_extra_state": ways})
    assert other.plan == {key: "fused-conv"}
    assert other.way_for(array().sum(3)) == "fused-conv"


def work_of(values: int, terms: int, **options: bool) -> HierarchicalWork:
    layer = HierarchicalConv(values, terms, activation=options.pop("plus", True))
    x = torch.zeros(2, 32, 32, values // 2, values)
    return layer.work(x, training=options.pop("training", True))


@pytest.mark.parametrize(
    ("work", "way"),
    [
        (work_of(16, 32), "fused-conv"),
        (work_of(8, 16), "fused-band"),
        (work_of(16, 32, plus=False), "collapsed-band"),
        (work_of(16, 32, plus=False, training=False), "collapsed-conv"),
        (work_of(8, 4, plus=False), "fused-band"),
    ],
)
def test_choice_for_the_thesis_shapes(work: HierarchicalWork, way: str) -> None:
    """As measured: few attributes want matrix products, few terms spare the collapse."""
    assert cheapest_way(work, "cpu") == way
    assert cheapest_way(work, "cuda") == "plain"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"terms": 0}, "terms must be >= 1, got 0"),
        ({"values": -1}, "values must be >= 1, got -1"),
        ({"support": (7, 4)}, "support must be odd and positive, got 4"),
        ({"padding": "reflect"}, "one of zeros, circular; got 'reflect'"),
        ({"reduction": "max"}, "one of sum, mean; got 'max'"),
        ({"way": "magic"}, "way must be one of auto, .*got 'magic'"),
        ({"way": "collapsed-band", "activation": True}, "needs activation=False"),
        ({"way": "fused-conv", "padding": "circular"}, "way 'fused-conv' needs padding='zeros'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HierarchicalConv(**{"values": 4, "terms": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reduction": "max"}, "one of sum, mean; got 'max'"),
        ({"padding": "reflect"}, "one of zeros, circular; got 'reflect'"),
        ({"kernel_size": 2}, "kernel_size must be odd and positive, got 2"),
        ({"support": (1, 4)}, "support must be odd and positive, got 4"),
        ({"stride": 0}, "stride must be >= 1, got 0"),
    ],
)
def test_bad_arguments_of_a_layer_of_4d_filters_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttributeConv(4, **arguments)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1, 4, 4, 8), {}, r"\(N, U1, U2, V_o, V_a, V_b\); got \(1, 4, 4, 8\)"),
        (
            (1, 4, 4, 2, 8),
            {"padding": "circular"},
            "padding of 3 .* exceeds an attribute axis of 2",
        ),
        ((1, 0, 4, 8, 16), {"padding": "circular"}, "padding of 1 exceeds images of 0 x 4"),
        ((1, 1, 1, 1, 1), {}, "more than one patch"),
    ],
)
def test_wrong_input_is_named(shape: tuple[int, ...], options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HierarchicalConv(4, 2, way="fused-band", **options)(torch.zeros(shape))


@pytest.mark.parametrize("way", ["fused-conv", "collapsed-conv", "fused-band"])
def test_second_derivatives_of_a_single_value_are_there_or_refused(way: str) -> None:
    layer = HierarchicalConv(1, 3, support=(3, 5), way=way).double()
    loss = layer(array().double()).square().sum()
    refused = pytest.raises(RuntimeError, match="build the layer with way='fused-band'")
    with refused if way.endswith("conv") else contextlib.nullcontext():
        torch.autograd.grad(loss, layer.attribute, create_graph=True)


@pytest.mark.parametrize("way", ["fused-band", "fused-conv", "collapsed-band", "collapsed-conv"])
@pytest.mark.parametrize("training", [True, False])
def test_second_derivatives_are_those_of_the_plain_way(way: str, training: bool) -> None:
    found = []
    for of in (way, "plain"):
        layer = build("zeros", of).double().train(training)
        x = array().double().requires_grad_()
        inputs = [x, layer.spatial, layer.attribute]
        loss = layer(x).tanh().square().sum()
        grads = torch.autograd.grad(loss, inputs, create_graph=True)
        found.append(torch.autograd.grad(sum(g.square().sum() for g in grads), inputs))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)
