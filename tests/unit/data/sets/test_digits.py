"""The built-in digits: sizes, stratification, bytes, enlargement."""

import hashlib

import numpy as np
import pytest

from structnets.data.sets.digits import enlarge, load_digits
from structnets.data.sets.entries.catalogue import find_dataset


@pytest.fixture(scope="module")
def arrays():
    return load_digits()


def test_sizes_agree_with_the_catalogue(arrays):
    facts = find_dataset("digits")
    assert arrays["train_images"].shape == (facts.train_count, *facts.image_shape)
    assert arrays["test_images"].shape == (facts.test_count, *facts.image_shape)
    assert arrays["train_images"].dtype == np.uint8
    assert arrays["train_labels"].dtype == np.int64
    assert arrays["train_images"].max() == 255


def test_split_is_stratified(arrays):
    test = np.bincount(arrays["test_labels"])
    everything = test + np.bincount(arrays["train_labels"])
    np.testing.assert_allclose(test, everything * 360 / 1797, atol=1)


def test_bytes_are_fixed(arrays):
    content = hashlib.sha256()
    for name in sorted(arrays):
        content.update(arrays[name].tobytes())
    assert content.hexdigest()[:16] == "c4addffb0ac08d6f"


def test_enlargement_by_hand():
    image = np.zeros((1, 8, 8), dtype=int)
    image[0, 0, 0] = 16
    large = enlarge(image)[0, 0]
    # Interpolation weights 1, 1, 2/3, 1/3, 0 from the corner, which the border repeats.
    weights = np.array([1, 1, 2 / 3, 1 / 3, 0])
    expected = np.floor(np.outer(weights, weights) * 255 + 0.5)
    np.testing.assert_array_equal(large[2:7, 2:7], expected)
    assert large.sum() == expected.sum()


def test_enlargement_keeps_a_constant():
    large = enlarge(np.full((2, 8, 8), 8))
    assert large.shape == (2, 1, 28, 28)
    assert np.unique(large[:, :, 2:-2, 2:-2]).tolist() == [128]
    assert large[:, :, :2].max() == large[:, :, :, -2:].max() == 0
