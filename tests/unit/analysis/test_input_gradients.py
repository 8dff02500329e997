"""Gradients of answers, by hand of linear models."""

import numpy as np
import pytest
import torch
from torch import nn

from structnets.analysis.input_gradients import agreement, gradient_map, gradient_maps
from structnets.data.batches.array_examples import Images

SHAPE = (2, 3, 2)


def linear(weights):
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, len(weights), bias=False))
    model[1].weight.data = torch.tensor(weights, dtype=torch.float32).reshape(len(weights), 12)
    return model


def scans(count=7):
    voxels = np.random.default_rng(0).integers(0, 256, (count, 1, *SHAPE), dtype=np.uint8)
    return Images(voxels, np.zeros(count, np.int64), np.arange(count))


def test_of_two_classes_it_is_the_difference_of_their_weights():
    weights = np.random.default_rng(1).normal(size=(2, *SHAPE))
    found = gradient_map(linear(weights), scans())
    assert found.shape == SHAPE
    np.testing.assert_allclose(found, np.abs(weights[1] - weights[0]), rtol=1e-5)


def test_a_class_that_is_never_near_counts_for_nothing():
    weights = np.zeros((3, *SHAPE))
    weights[0], weights[2] = 10.0, -50.0
    weights[0, 1, 2, 1] += 3
    found = gradient_map(linear(weights), scans())
    np.testing.assert_allclose(found, weights[0], rtol=1e-4)


def test_weights_are_left_alone_and_asked_for_no_gradients():
    asked = []

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            return x * weight

        @staticmethod
        def backward(ctx, grad):
            asked.append(ctx.needs_input_grad)
            return grad, grad.sum()

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(1.0))
            self.frozen = nn.Parameter(torch.tensor(1.0), requires_grad=False)
            self.head = linear(np.ones((2, *SHAPE)))

        def forward(self, x):
            return self.head(Watched.apply(x, self.weight))

    model = Scaled()
    gradient_map(model, scans())
    assert asked == [(True, False)] * 2
    assert [weight.requires_grad for weight in model.parameters()] == [True, False, True]
    assert all(weight.grad is None for weight in model.parameters())


def test_a_lazy_layer_is_made_by_the_first_call():
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))
    assert gradient_map(model, scans()).shape == SHAPE
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_certain_answer_has_a_gradient_too():
    weights = np.zeros((2, *SHAPE))
    weights[1] = 1e3
    assert gradient_map(linear(weights), scans()).min() == pytest.approx(1e3)


def test_of_several_nets_each_is_its_own_in_their_order():
    threads = torch.get_num_threads()
    drawn = np.random.default_rng(2).normal(size=(5, 2, *SHAPE))
    found = gradient_maps((linear(weights), scans()) for weights in drawn)
    for one, weights in zip(found, drawn, strict=True):
        np.testing.assert_allclose(one, np.abs(weights[1] - weights[0]), rtol=1e-5)
    assert torch.get_num_threads() == threads


def test_one_net_that_cannot_be_asked_is_told():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        gradient_maps([(linear(np.ones((2, *SHAPE))), scans()), (nn.Linear(5, 2), scans())])


def test_agreement_is_a_mean_over_pairs():
    one = np.array([0.0, 1.0, 2.0])
    assert agreement([one]) == (None, 0, 1)
    assert agreement([one, 5 * one + 1]).correlation == pytest.approx(1)
    assert agreement([one, one, -one]).correlation == pytest.approx(-1 / 3)


def test_maps_of_dead_nets_have_no_part_in_the_agreement():
    one = np.array([0.0, 1.0, 2.0])
    assert agreement([one, 2 * one, 0 * one]) == (pytest.approx(1), 1, 3)
    assert agreement([one, 0 * one]) == (None, 1, 2)
    with pytest.raises(ValueError, match="1 of 2 maps hold NaN"):
        agreement([one, one * np.nan])
