"""RFNiN, NiN and AlexNet: collapsed twins, maps, initial weights, error paths."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from structnets.models.alexnet import AlexNet
from structnets.models.nin import Nin, nin_cifar, nin_imagenet, nin_refactor_layer1
from structnets.models.pixel_range import PixelRange
from structnets.models.rfnin import rfnin, rfnin_cifar, rfnin_v2
from structnets.nn import GaussianConv2d, LearnedBasisConv2d

STRUCTURED = (GaussianConv2d, LearnedBasisConv2d)


def collapse(model: nn.Module) -> nn.Module:
    """Return a copy with a plain convolution in the place of every structured one."""
    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, STRUCTURED):
            parent, _, child = name.rpartition(".")
            setattr(plain.get_submodule(parent), child, layer.collapse())
    return plain


def sides(model: nn.Module, x: torch.Tensor) -> list[int]:
    """Return the width of the map after each spatial layer."""
    found: list[int] = []
    for layer in model.modules():
        spatial = isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1)
        if spatial or isinstance(layer, STRUCTURED):
            layer.register_forward_hook(lambda _, __, out: found.append(out.shape[-1]))
    with torch.no_grad():
        model.eval()(x)
    return found


@pytest.fixture
def photo() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(1, 3, 224, 224) / 4


@pytest.fixture
def icon() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2, 3, 32, 32) / 4


@pytest.mark.parametrize(
    "build", [lambda: rfnin(order=2), lambda: rfnin(basis="free", order=1), rfnin_cifar]
)
def test_collapsed_net_gives_the_same_logits(build, icon: torch.Tensor) -> None:
    x = icon if build is rfnin_cifar else torch.randn(1, 3, 75, 75) / 4
    model = build().eval()
    torch.testing.assert_close(model(x), collapse(model)(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("build", [rfnin_cifar, nin_cifar, lambda: rfnin_cifar(init="he")])
def test_every_parameter_is_trained(build, icon: torch.Tensor) -> None:
    torch.manual_seed(1)
    model = build()
    model(icon).logsumexp(1).sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in model.parameters())


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (nin_imagenet, [54, 27, 13, 6]),
        (rfnin, [54, 27, 13, 6]),
        (lambda: rfnin(kernel_sizes=(49, 25, 13, 7)), [54, 27, 13, 6]),
        (lambda: rfnin(scales=1), [55, 27, 13, 6]),
        (rfnin_v2, [107, 53, 26, 13, 6]),
    ],
)
def test_maps_are_those_of_the_released_files(build, expected, photo: torch.Tensor) -> None:
    # The widest parts do not matter for the maps: no weights are touched on the meta device.
    with torch.device("meta"):
        model = build()
    assert sides(model, photo.to("meta")) == expected


def test_maps_on_cifar(icon: torch.Tensor) -> None:
    assert sides(rfnin_cifar(), icon) == sides(nin_cifar(), icon) == [32, 16, 8]


def test_pooling_before_the_relu_is_equal(icon: torch.Tensor) -> None:
    maps = icon - 0.3
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    assert torch.equal(torch.relu(pool(maps)), pool(torch.relu(maps)))


def test_released_initial_weights_of_nin() -> None:
    torch.manual_seed(0)
    layers = [m for m in nin_imagenet().modules() if isinstance(m, nn.Conv2d)]
    stds = [float(layer.weight.detach().std()) for layer in layers]
    named = [0.01, 0.05, 0.05, 0.05, 0.05, 0.05, 0.01, 0.05, 0.05, 0.05, 0.05, 0.01]
    assert stds == pytest.approx(named, rel=0.03)
    assert not any(layer.bias.any() for layer in layers if layer.bias is not None)


@pytest.mark.parametrize("init", ["msra", "he"])
def test_initial_alphas(init: str) -> None:
    torch.manual_seed(0)
    layer = next(m for m in rfnin(init=init).modules() if isinstance(m, GaussianConv2d))
    energy = (layer.basis.kernels**2).sum() if init == "he" else len(layer.basis)
    expected = math.sqrt(2 / (layer.in_channels * energy))
    assert float(layer.alpha.detach().std()) == pytest.approx(expected, rel=0.05)


def test_images_are_scaled_to_the_released_range() -> None:
    out = PixelRange(255.0)(torch.full((1, 3, 4, 5), 0.5))
    assert float(out.max()) == 127.5
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_batch_norm_has_no_learned_scale() -> None:
    with torch.device("meta"):
        norms = [m for m in rfnin_v2(batch_norm=True).modules() if isinstance(m, nn.BatchNorm2d)]
    assert [norm.num_features for norm in norms] == [128, 384, 512]
    assert not any(norm.affine for norm in norms)


@pytest.mark.parametrize("keep", [True, False])
def test_refactored_first_layer(keep: bool) -> None:
    with torch.device("meta"):
        first, plain = nin_refactor_layer1(keep_cccp=keep).features[0], nin_imagenet().features[0]
    assert isinstance(first[0], LearnedBasisConv2d)
    assert len(first) == len(plain) - (0 if keep else 2)


def test_two_kinds_of_second_pooling() -> None:
    with torch.device("meta"):
        pools = [nin_cifar(second_pool=kind).features[1] for kind in ("average", "max")]
    assert any(isinstance(layer, nn.AvgPool2d) for layer in pools[0])
    assert not any(isinstance(layer, nn.AvgPool2d) for layer in pools[1])


@pytest.mark.parametrize(
    ("side", "expected"),
    [(39, [8, 4, 2, 2, 2]), (64, [14, 7, 3, 3, 3]), (224, [54, 27, 13, 13, 13])],
)
def test_maps_of_alexnet(side: int, expected: list[int]) -> None:
    model = AlexNet(num_classes=7, image_size=side)
    assert sides(model, torch.rand(1, 3, side, side)) == expected
    assert model(torch.rand(2, 3, side, side)).shape == (2, 7)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rfnin(scales=2), "scales must be 1 or 4, got 2"),
        (lambda: rfnin(kernel_sizes=(3,)), r"kernel_sizes must have one value per layer \(4\)"),
        (lambda: rfnin(basis="wavelet"), "basis must be one of gaussian, free; got 'wavelet'"),
        (lambda: rfnin(init="zero"), "init must be one of msra, he; got 'zero'"),
        (lambda: rfnin(input_scale=0), "input_scale must be > 0, got 0"),
        (lambda: rfnin_cifar(scales=(1,)), r"scales must have one value per layer \(3\)"),
        (lambda: rfnin_v2(widths=(1,)), r"widths must have one value per layer \(5\)"),
        (lambda: nin_refactor_layer1(basis="fix"), "basis must be one of gaussian, free"),
        (lambda: nin_cifar(second_pool="min"), "second_pool must be 'average' or 'max'"),
        (lambda: AlexNet(groups=3), "groups must be 1 or 2, got 3"),
        (lambda: AlexNet(image_size=32), "image_size must be >= 39, got 32"),
    ],
)
def test_bad_options_are_named(build, message: str) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        build()


def test_nin_is_a_mean_over_the_map() -> None:
    net = Nin([[nn.Identity()]], 1.0)
    assert net(torch.arange(8.0).reshape(1, 2, 2, 2)).tolist() == [[1.5, 5.5]]
