"""`FrameConv2d` and `reparametrize`: the same function as the plain convolution's."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from structnets.bases.frames import FRAMES, build_frame
from structnets.nn import (
    FrameConv1d,
    FrameConv2d,
    GaussianConv2d,
    collapse_model,
    reparametrize,
)

GEOMETRIES = {
    "plain": {},
    "groups": {"groups": 2, "padding": 1},
    "depthwise": {"out_channels": 8, "groups": 4, "padding": "same"},
    "dilated": {"dilation": (1, 2), "padding": (1, 2)},
    "strided": {"stride": (2, 1), "padding": 1, "bias": False},
    "reflected": {"padding": 1, "padding_mode": "reflect"},
    "circular": {"padding": (2, 1), "padding_mode": "circular", "stride": 2},
    "oblong": {"kernel_size": (5, 2), "padding": "same", "padding_mode": "replicate"},
}


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.randn(2, 4, 9, 8, generator=torch.Generator().manual_seed(0))


def plain_convolution(geometry: str) -> nn.Conv2d:
    torch.manual_seed(0)
    options = {"out_channels": 6, "kernel_size": 3, **GEOMETRIES[geometry]}
    return nn.Conv2d(4, **options)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("frame", ["gaussian", "framelet", "naive"])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_convolution_in_a_frame_and_back(geometry: str, frame: str, maps) -> None:
    conv = plain_convolution(geometry)
    layer = FrameConv2d.from_conv(conv, frame)
    torch.testing.assert_close(layer(maps), conv(maps), rtol=1e-5, atol=1e-5)
    back = layer.collapse()
    torch.testing.assert_close(back(maps), conv(maps), rtol=1e-5, atol=1e-5)
    assert back.extra_repr() == conv.extra_repr()
    assert layer.collapsed_parameters() == sum(p.numel() for p in conv.parameters())


@pytest.mark.parametrize("frame", FRAMES.names())
def test_gradients_are_the_frame_s_analysis_of_the_pixels_ones(frame: str, maps) -> None:
    conv = plain_convolution("plain").double()
    layer = FrameConv2d.from_conv(conv, frame)
    layer(maps.double()).square().sum().backward()
    conv(maps.double()).square().sum().backward()
    assert conv.weight.grad is not None
    expected = conv.weight.grad.flatten(2) @ torch.tensor(layer.frame.matrix).T
    torch.testing.assert_close(layer.coefficients.grad, expected, rtol=1e-6, atol=1e-6)


def test_signature_is_that_of_the_plain_convolution() -> None:
    positional = (4, 6, 3, 2, 1, 1, 2, False, "circular")
    layer, conv = FrameConv2d(*positional), nn.Conv2d(*positional)
    assert layer(torch.zeros(1, 4, 8, 8)).shape == conv(torch.zeros(1, 4, 8, 8)).shape
    assert layer.bias is None
    assert layer.double().coefficients.dtype == torch.float64


def test_one_atom_by_hand() -> None:
    layer = FrameConv2d(1, 1, 3, frame="framelet", bias=False)
    nn.init.zeros_(layer.coefficients)
    with torch.no_grad():
        layer.coefficients[0, 0, 1] = 4.0  # low-pass along y, difference along x, unit norm
    expected = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 12**0.5 * 4
    torch.testing.assert_close(layer.kernel()[0, 0], expected)


def test_mixed_precision_does_not_round_the_filters() -> None:
    layer = FrameConv2d(4, 4, 7, frame="gaussian")
    exact = layer.kernel()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.kernel(), exact)
        assert layer(torch.zeros(1, 4, 9, 9)).dtype == torch.bfloat16


def test_weights_alone_are_saved() -> None:
    assert set(FrameConv2d(1, 1, 3).state_dict()) == {"coefficients", "bias"}


def test_frozen_and_shared_weights_stay_so() -> None:
    conv = nn.Conv2d(3, 3, 3, padding=1)
    conv.weight.requires_grad_(False)
    twin = nn.Conv2d(3, 3, 3, dilation=2)
    twin.weight = conv.weight
    model = reparametrize(nn.Sequential(conv, twin, conv).eval(), "framelet")
    first, second, third = model
    assert first is third
    assert second.coefficients is first.coefficients
    assert not first.coefficients.requires_grad
    assert first.bias.requires_grad
    assert not second.training


def test_only_plain_convolutions_wider_than_a_pixel_are_replaced() -> None:
    class Other(nn.Conv2d):
        pass

    weighed = torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 3))
    layers = [nn.Conv2d(1, 1, 1), Other(1, 1, 3), weighed, nn.Conv1d(1, 1, 3), nn.Conv2d(1, 1, 3)]
    model = reparametrize(nn.Sequential(*layers), "gaussian")
    assert [isinstance(m, FrameConv2d) for m in model] == [False] * 4 + [True]
    assert isinstance(model[3], FrameConv1d)


def test_a_single_convolution_is_returned_as_layer() -> None:
    layer = reparametrize(nn.Conv2d(2, 2, 3), "naive")
    assert isinstance(layer, FrameConv2d)
    assert type(collapse_model(layer)) is nn.Conv2d


@pytest.mark.parametrize("frame", ["image", "framelet", "gauss15"])
def test_an_untouched_resnet18_keeps_its_function_trains_and_collapses(frame: str) -> None:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    plain = torchvision.models.resnet18(num_classes=5).eval()
    x = torch.randn(2, 3, 64, 64)
    keep = frame == "gauss15"  # cannot span the stem's 7 x 7
    model = reparametrize(copy.deepcopy(plain), frame, keep_unspanned=keep)
    found = [m for m in model.modules() if isinstance(m, FrameConv2d)]
    assert len(found) == 17 - keep
    with torch.no_grad():
        torch.testing.assert_close(model(x), plain(x), rtol=1e-5, atol=1e-5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    before = found[3].coefficients.clone()
    nn.functional.cross_entropy(model(x), torch.tensor([1, 2])).backward()
    optimizer.step()
    assert not torch.equal(before, found[3].coefficients)
    with torch.no_grad():
        trained = model(x)
        collapsed = collapse_model(model)
        torch.testing.assert_close(collapsed(x), trained, rtol=1e-5, atol=1e-5)
    assert collapsed.state_dict().keys() == plain.state_dict().keys()


def test_refusal_names_the_layer_and_leaves_the_model_alone() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 5))
    message = r"layer '1': frame 'gauss15' cannot span kernels of \(5, 5\): rank 15 of 25.*keep_un"
    with pytest.raises(ValueError, match=message):
        reparametrize(model, "gauss15")
    assert type(model[0]) is nn.Conv2d


def test_hooks_are_not_lost_silently() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3))
    model[0].register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match="layer '0' has hooks"):
        reparametrize(model)


def test_collapse_takes_other_structured_layers_too() -> None:
    model = nn.Sequential(GaussianConv2d(1, 2), nn.ReLU(), FrameConv2d(2, 1, 3))
    x = torch.randn(1, 1, 9, 9)
    expected = model(x)
    torch.testing.assert_close(collapse_model(model)(x), expected, rtol=1e-5, atol=1e-5)
    assert [type(m) for m in model] == [nn.Conv2d, nn.ReLU, nn.Conv2d]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"frame": "wavelet"}, "unknown frame 'wavelet'; allowed: framelet"),
        ({"kernel_size": 9, "frame": "naive"}, r"cannot span kernels of \(9, 9\).*condition"),
        ({"frame": build_frame("naive", (5, 5))}, r"'naive' has atoms of \(5, 5\), .*\(3, 3\)"),
        ({"groups": 2}, "divisible by groups"),
        ({"padding_mode": "mirror"}, "padding_mode must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FrameConv2d(**{"in_channels": 3, "out_channels": 4, "kernel_size": 3, **arguments})


def test_ties_frozen_weights_and_modes_survive_there_and_back() -> None:
    shared = nn.Conv2d(2, 2, 3, padding=1)
    other = nn.Conv2d(2, 2, 3, padding=1)
    other.weight, other.bias = shared.weight, shared.bias
    frozen = nn.Conv2d(2, 2, 3, padding=1).requires_grad_(False)
    model = nn.Sequential(shared, other, frozen.eval())
    x = torch.randn(1, 2, 5, 5)
    expected = model(x)
    for change, weight in ((reparametrize, "coefficients"), (collapse_model, "weight")):
        model = change(model)
        torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-5)
        assert getattr(model[0], weight) is getattr(model[1], weight)
        assert model[0].bias is model[1].bias
        assert [p.requires_grad for p in model[2].parameters()] == [False, False]
        assert [layer.training for layer in model] == [True, True, False]


def test_alternating_frames_keep_shared_weights_in_one() -> None:
    model = nn.Sequential(*[nn.Conv2d(2, 2, 3) for _ in range(2)])
    model[1].weight = model[0].weight
    changed = reparametrize(model, "image")
    assert changed[0].coefficients is changed[1].coefficients


def test_the_report_names_what_is_left_and_why() -> None:
    model = nn.ModuleDict(
        {
            "plain": nn.Conv2d(2, 2, 3),
            "pixel": nn.Conv2d(2, 2, 1),
            "line": nn.Conv1d(2, 2, 3),
            "volume": nn.Conv3d(2, 2, 3),
            "up": nn.ConvTranspose2d(2, 2, 3),
            "normed": nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 3)),
        }
    )
    _, report = reparametrize(copy.deepcopy(model), report=True)
    assert set(report.changed) == {"plain", "line", "volume", "up"}
    assert set(report.left) == {"pixel", "normed"}
    _, report = reparametrize(model, "gauss15", report=True)
    assert set(report.changed) == {"plain", "up"}
    assert report.left["volume"] == "frame 'gauss15' has filters of 2 axes"


OTHERS = {
    "line": (nn.Conv1d(4, 6, 5, stride=2, groups=2, padding=2, padding_mode="circular"), (9,)),
    "volume": (nn.Conv3d(4, 6, (3, 2, 3), dilation=(1, 2, 1), bias=False), (5, 6, 5)),
    "up, line": (nn.ConvTranspose1d(4, 6, 4, stride=2, padding=1), (7,)),
    "up": (nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2), (5, 6)),
    "up, volume": (nn.ConvTranspose3d(4, 6, 2, stride=2, dilation=2), (3, 4, 2)),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("frame", ["gaussian", "framelet", "naive", "image"])
def test_lines_volumes_and_transposed_ones_in_a_frame_and_back(kind: str, frame: str) -> None:
    conv, size = OTHERS[kind]
    maps = torch.randn(2, 4, *size, generator=torch.Generator().manual_seed(0))
    layer = reparametrize(copy.deepcopy(conv), frame)
    assert not isinstance(layer, type(conv))
    torch.testing.assert_close(layer(maps), conv(maps), rtol=1e-4, atol=1e-5)
    back = collapse_model(layer)
    torch.testing.assert_close(back(maps), conv(maps), rtol=1e-4, atol=1e-5)
    assert back.extra_repr() == conv.extra_repr()


def test_the_size_of_a_transposed_output_may_be_chosen() -> None:
    conv = nn.ConvTranspose2d(2, 3, 3, stride=2)
    layer, maps = reparametrize(conv), torch.ones(1, 2, 4, 5)
    for size in ((9, 11), (10, 12)):
        torch.testing.assert_close(layer(maps, size), conv(maps, size), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="output_size must end in sizes from"):
        layer(maps, (12, 12))


@pytest.mark.parametrize("channels", [2, 64], ids=["filters", "patches"])
def test_complex_weights_keep_their_imaginary_parts(channels: int) -> None:
    conv = nn.Conv2d(channels, channels, 3, dtype=torch.complex64)
    maps = torch.randn(1, channels, 6, 6, dtype=torch.complex64)
    torch.testing.assert_close(reparametrize(conv)(maps), conv(maps), rtol=1e-4, atol=1e-5)


def test_half_precision_that_would_change_the_weights_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rounded to torch.bfloat16.*would change the weights by"):
        reparametrize(nn.Conv2d(4, 4, 7, dtype=torch.bfloat16))


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
@pytest.mark.parametrize(
    "changed",
    [
        {"stride": 2}, {"stride": (1, 2), "padding": (2, 1)}, {"padding": 0},
        {"dilation": (2, 1)}, {"padding": "same", "dilation": 2}, {"padding": "valid"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("size", [4, 24], ids=["patches", "filters"])
def test_geometry_may_be_changed_as_that_of_a_plain_layer(
    size: int, changed: dict, mode: str
) -> None:
    conv = nn.Conv2d(4, 64, 3, padding=1, padding_mode=mode)
    layer = reparametrize(conv)
    for name, value in changed.items():
        setattr(layer, name, value)
    # PyTorch's own layer keeps the padding of its constructor where that is not with zeros.
    named = {name: getattr(conv, name) for name in ("stride", "padding", "dilation")} | changed
    plain = nn.Conv2d(4, 64, 3, **named, padding_mode=mode)
    plain.load_state_dict(conv.state_dict())
    maps = torch.randn(1, 4, size, size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(maps), plain(maps), rtol=1e-4, atol=1e-5)


def test_an_attribute_named_collapse_is_no_plain_form() -> None:
    net = nn.Sequential(GaussianConv2d(1, 1, order=1))
    net.collapse = True
    assert isinstance(collapse_model(net)[0], nn.Conv2d)


def test_collapsing_refuses_hooks() -> None:
    layer = GaussianConv2d(1, 1, order=1)
    layer.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match="has hooks: register them after collapsing"):
        collapse_model(nn.Sequential(layer))
