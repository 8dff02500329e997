"""Statistics per channel: NumPy's on any images, exact by hand."""

import numpy as np
import pytest

from structnets.data.prepared.statistics import (
    channel_statistics,
    grey_histogram,
    histogram_statistics,
)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (50, 3, 5, 4), dtype=np.uint8)


def test_numpy_agrees(images):
    found = channel_statistics(images)
    np.testing.assert_allclose(found["mean"], (images / 255).mean((0, 2, 3)), rtol=1e-14)
    np.testing.assert_allclose(found["std"], (images / 255).std((0, 2, 3)), rtol=1e-14)


def test_histograms_of_parts_add_up(images):
    parts = grey_histogram(images[:20]) + grey_histogram(images[20:])
    assert histogram_statistics(parts) == channel_statistics(images)


def test_by_hand():
    images = np.array([[[[0, 255]]]], dtype=np.uint8)
    assert channel_statistics(images) == {"mean": [0.5], "std": [0.5]}
