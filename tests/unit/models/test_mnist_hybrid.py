"""The RFNN with hybrid derivatives and learned scales: the skeleton of `rfnn`, slower scales."""

from __future__ import annotations

import pytest
import torch

from structnets.models.mnist import MnistNet, rfnn
from structnets.models.mnist_hybrid import SlowScaleConv2d, rfnn_hybrid


def layer_of(model: MnistNet, number: int) -> SlowScaleConv2d:
    layer = model.get_submodule(f"features.conv{number}")
    assert isinstance(layer, SlowScaleConv2d)
    return layer


@pytest.mark.parametrize("learned", [False, True])
def test_maps_have_the_sizes_of_the_sampled_net(learned: bool) -> None:
    images = torch.rand(2, 1, 28, 28)
    sampled, hybrid = rfnn(), rfnn_hybrid(learn_sigma=learned)
    assert hybrid.head.weight.shape == sampled.head.weight.shape
    for end in (1, 5, 9):  # after each convolution
        shapes = [net.features[:end](images).shape for net in (sampled, hybrid)]
        assert shapes[0] == shapes[1]


def test_sampled_derivatives_give_the_net_of_the_thesis() -> None:
    torch.manual_seed(0)
    ours = rfnn_hybrid(discretisation="sampled").eval()
    torch.manual_seed(0)
    theirs = rfnn().eval()
    images = torch.rand(2, 1, 28, 28)
    torch.testing.assert_close(ours(images), theirs(images), rtol=1e-5, atol=1e-5)


def test_a_scale_moves_a_tenth_of_its_parameter() -> None:
    layer = layer_of(rfnn_hybrid(learn_sigma=True), 1)
    assert layer.log_scale is not None
    torch.testing.assert_close(layer.sigmas(), torch.tensor([1.5]))
    with torch.no_grad():
        layer.log_scale.fill_(0.01)
    assert layer.sigmas().item() == pytest.approx(1.5 * 1.001, rel=1e-5)


def test_learned_and_fixed_scales_begin_as_the_same_net() -> None:
    images = torch.rand(2, 1, 28, 28)
    outputs = []
    for learned in (False, True):
        torch.manual_seed(0)
        outputs.append(rfnn_hybrid(learn_sigma=learned).eval()(images))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-4, atol=1e-4)


def test_every_parameter_is_trained() -> None:
    model = rfnn_hybrid(learn_sigma=True)
    model(torch.rand(3, 1, 28, 28)).logsumexp(1).sum().backward()
    assert all(p.grad is not None and float(p.grad.abs().max()) > 0 for p in model.parameters())


@pytest.mark.parametrize("options", [{"orders": (3, 2)}, {"sigmas": (1.0,)}])
def test_every_layer_needs_its_value(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        rfnn_hybrid(**options)
