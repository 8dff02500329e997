"""The nets of Figure 6: parameter counts, shapes, and RFNN equal to its collapsed twin."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from structnets.models.counting import collapsed_parameters, trained_parameters
from structnets.models.mnist import MnistNet, cnn_b, rfnn
from structnets.nn import GaussianConv2d

WIDTH, CLASSES = 64, 10


def by_hand(weights: tuple[int, int, int], kernels: tuple[int, int, int]) -> int:
    """Weights of three convolutions of 1, 64, 64 to 64 channels and of the linear layer."""
    side = (28 - 3) // 2 + 1
    for kernel in kernels[1:]:
        side = (side + kernel - 1 - 3) // 2 + 1
    first, second, third = weights
    return WIDTH * (first + WIDTH * (second + third)) + WIDTH * side**2 * CLASSES


def squares(sizes: tuple[int, int, int]) -> tuple[int, int, int]:
    return sizes[0] ** 2, sizes[1] ** 2, sizes[2] ** 2


def collapse(model: nn.Module) -> nn.Module:
    """Return a copy with a plain convolution in the place of every structured one."""
    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, GaussianConv2d):
            parent, _, child = name.rpartition(".")
            setattr(plain.get_submodule(parent), child, layer.collapse())
    return plain


def layer_of(model: nn.Module, number: int) -> GaussianConv2d:
    layer = model.get_submodule(f"features.conv{number}")
    assert isinstance(layer, GaussianConv2d)
    return layer


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(3, 1, 28, 28)


@pytest.mark.parametrize("options", [{}, {"orders": (4, 1, 3), "sigmas": (1.0, 1.5, 1.0)}])
@pytest.mark.parametrize("scales", [1, 2])
def test_collapsed_net_gives_the_same_logits(
    options: dict, scales: int, images: torch.Tensor
) -> None:
    model = rfnn(scales=scales, **options).eval()
    plain = collapse(model)
    assert not any(isinstance(layer, GaussianConv2d) for layer in plain.modules())
    # The released initialisation makes large maps: equal relative to the largest logit.
    logits = model(images)
    largest = float(logits.detach().abs().max())
    torch.testing.assert_close(logits / largest, plain(images) / largest, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scales", [1, 2])
def test_collapsed_count_is_the_collapsed_net_s(scales: int) -> None:
    model = rfnn(scales=scales)
    assert collapsed_parameters(model) == trained_parameters(collapse(model))


@pytest.mark.parametrize("build", [rfnn, cnn_b])
def test_every_parameter_is_trained(build, images: torch.Tensor) -> None:
    model = build()
    model(images).logsumexp(1).sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in model.parameters())


@pytest.mark.parametrize(
    ("orders", "count"), [((3, 2, 2), 81_152), ((3, 3, 3), 113_920), ((1, 1, 1), 56_128)]
)
def test_golden_counts_of_the_rfnn(orders: tuple[int, int, int], count: int) -> None:
    atoms = tuple(math.comb(order + 2, 2) for order in orders)
    assert by_hand((atoms[0], atoms[1], atoms[2]), (11, 7, 7)) == count
    assert trained_parameters(rfnn(orders=orders)) == count


@pytest.mark.parametrize("sizes", [(11, 7, 7), (5, 5, 5), (3, 5, 7)])
def test_counts_of_cnn_b_by_hand(sizes: tuple[int, int, int]) -> None:
    assert trained_parameters(cnn_b(kernel_sizes=sizes)) == by_hand(squares(sizes), sizes)


def test_golden_counts_of_cnn_b() -> None:
    assert trained_parameters(cnn_b()) == 440_512
    assert trained_parameters(cnn_b(kernel_sizes=(5, 5, 5))) == 222_400


def test_rfnn_and_cnn_b_share_their_maps(images: torch.Tensor) -> None:
    sides = []
    for model in (rfnn(), cnn_b()):
        assert model(images).shape == (3, CLASSES)
        x, shapes = images, []
        for name, layer in model.features.named_children():
            x = layer(x)
            if name.startswith("pool"):
                shapes.append(tuple(x.shape[1:]))
        sides.append(shapes)
    assert sides[0] == sides[1] == [(64, 13, 13), (64, 9, 9), (64, 7, 7)]


@pytest.mark.parametrize(("classes", "side"), [(2, 28), (5, 32), (3, 9)])
def test_other_inputs_and_outputs(classes: int, side: int) -> None:
    for build in (rfnn, cnn_b):
        model = build(num_classes=classes, image_size=side)
        assert model(torch.rand(2, 1, side, side)).shape == (2, classes)


@pytest.mark.parametrize(("init", "largest"), [("uniform", 1.0), ("he", math.inf)])
def test_initialisation_follows_the_seed(init: str, largest: float) -> None:
    torch.manual_seed(5)
    one = rfnn(init=init)
    torch.manual_seed(5)
    other = rfnn(init=init)
    for first, second in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)
    assert float(layer_of(one, 2).alpha.detach().abs().max()) <= largest


def test_support_of_several_scales_is_that_of_the_largest() -> None:
    convolution = layer_of(rfnn(scales=2), 1)
    assert convolution.basis.sigmas == (1.5, 3.0)
    assert convolution.kernel_size == (19, 19)


def test_dropout_is_off_in_evaluation_only(images: torch.Tensor) -> None:
    model = cnn_b(kernel_sizes=(3, 3, 3))
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "xavier"}, "init must be 'uniform' or 'he', got 'xavier'"),
        ({"orders": (3, 2)}, r"orders must have one value per layer \(3\), got \[3, 2\]"),
        ({"sigmas": (1.0,) * 4}, "sigmas must have one value per layer"),
        ({"kernel_sizes": (11, 7)}, "kernel_sizes must have one value per layer"),
        ({"kernel_sizes": (11, 8, 7)}, "odd and positive, got 8"),
        ({"way": "fastest"}, "way must be auto or one of .*composed"),
        ({"scales": 0}, "scales"),
    ],
)
def test_bad_option_of_the_rfnn_is_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rfnn(**options)


@pytest.mark.parametrize("sizes", [(11, 7), (11, 7, 7, 7)])
def test_cnn_b_needs_a_kernel_per_layer(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"kernel_sizes must have one value per layer \(3\)"):
        cnn_b(kernel_sizes=sizes)


@pytest.mark.parametrize("sizes", [(11, 6, 7), (0, 5, 5)])
def test_cnn_b_needs_odd_kernels(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="odd"):
        cnn_b(kernel_sizes=sizes)


def test_skeleton_refuses_other_layers() -> None:
    with pytest.raises(ValueError, match="GaussianConv2d or Conv2d, got Linear"):
        MnistNet([nn.Linear(1, 64)] * 3)
