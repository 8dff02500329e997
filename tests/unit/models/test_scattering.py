"""Scattering features: their number by hand, and what they do not see."""

from __future__ import annotations

import pytest
import torch

from structnets.models.scattering import ScatteringFeatures


def paths(scale: int, angles: int, max_order: int) -> int:
    """Low-pass, first-order paths, and second-order paths towards coarser scales."""
    first = scale * angles
    second = angles**2 * scale * (scale - 1) // 2
    return 1 + first + (second if max_order == 2 else 0)


@pytest.fixture(scope="module")
def model() -> ScatteringFeatures:
    return ScatteringFeatures(scale=2, angles=4)


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(3, 1, 28, 28)


def test_images_of_a_batch_do_not_mix(model: ScatteringFeatures, images: torch.Tensor) -> None:
    torch.testing.assert_close(model(images)[1:2], model(images[1:2]), rtol=1e-4, atol=1e-6)


def test_features_grow_with_contrast(model: ScatteringFeatures, images: torch.Tensor) -> None:
    torch.testing.assert_close(model(2 * images), 2 * model(images), rtol=1e-4, atol=1e-5)


def test_image_is_padded_around_its_centre(images: torch.Tensor) -> None:
    small = ScatteringFeatures(image_size=28, max_order=1)
    large = ScatteringFeatures(image_size=32, max_order=1)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    torch.testing.assert_close(small(images), large(padded))


@pytest.mark.parametrize(("scale", "angles", "order"), [(3, 4, 2), (3, 4, 1), (2, 8, 2)])
def test_number_of_features_by_hand(
    scale: int, angles: int, order: int, images: torch.Tensor
) -> None:
    features = ScatteringFeatures(scale=scale, angles=angles, max_order=order)(images)
    assert features.shape == (3, paths(scale, angles, order) * (-(-28 // 2**scale)) ** 2)


def test_golden_number_of_the_default_s_features() -> None:
    assert ScatteringFeatures()(torch.zeros(1, 1, 28, 28)).shape == (1, 127 * 16)


def test_constant_image_has_an_average_only() -> None:
    features = ScatteringFeatures(image_size=32)(torch.full((1, 1, 32, 32), 0.5)).view(127, 16)
    torch.testing.assert_close(features[0], torch.full((16,), 0.5), rtol=1e-4, atol=1e-4)
    assert float(features[1:].abs().max()) < 1e-4


def test_nothing_is_learned(model: ScatteringFeatures) -> None:
    assert list(model.parameters()) == []
