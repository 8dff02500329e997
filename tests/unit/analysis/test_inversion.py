"""Inversion errors, noise that does not depend on batches."""

from __future__ import annotations

import math

import pytest
import torch

from structnets.analysis.inversion import inversion_error, uniform_noise
from structnets.models.irevnet import IRevNet


def test_error_is_that_of_the_precision(net: IRevNet, exact_net: IRevNet) -> None:
    single = inversion_error(net, uniform_noise(20, (3, 8, 8), 8))
    double = inversion_error(exact_net, uniform_noise(20, (3, 8, 8), 8, dtype=torch.float64))
    assert single.images == double.images == 20
    assert 1e-8 < single.mean <= single.maximum < 1e-5
    assert double.maximum < 1e-13


def test_error_by_hand() -> None:
    class Lossy:
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def inverse(self, features: torch.Tensor) -> torch.Tensor:
            return features * torch.tensor([1.0, 0.5])[:, None, None, None]

    found = inversion_error(Lossy(), [torch.ones(2, 1, 2, 2), torch.ones(2, 1, 2, 2)])
    assert (found.mean, found.maximum, found.images) == (0.25, 0.5, 4)


def test_an_image_that_comes_back_as_no_number_is_not_passed_over() -> None:
    class Broken:
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def inverse(self, features: torch.Tensor) -> torch.Tensor:
            return features * torch.tensor([1.0, float("nan"), 1.0])[:, None, None, None]

    found = inversion_error(Broken(), [torch.ones(3, 1, 2, 2)])
    assert math.isnan(found.mean)
    assert math.isnan(found.maximum)


def test_noise_does_not_depend_on_the_batch_size() -> None:
    one, two = (torch.cat(list(uniform_noise(7, (3, 4, 4), size))) for size in (2, 7))
    assert torch.equal(one, two)
    assert float(one.min()) >= 0
    assert float(one.max()) < 1


def test_bad_input_is_named(net: IRevNet, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="batches holds no images"):
        inversion_error(net, [])
    with pytest.raises(ValueError, match="image 7 is zero everywhere"):
        inversion_error(net, [images, torch.stack([images[0], 0 * images[0]])])
