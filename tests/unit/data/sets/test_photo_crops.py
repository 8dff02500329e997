"""The built-in photographs: sizes, separation of the splits, bytes, shrinking."""

import hashlib

import numpy as np
import pytest

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.data.sets.photo_crops import load_photo_crops, shrink


@pytest.fixture(scope="module")
def arrays():
    return load_photo_crops()


def test_sizes_agree_with_the_catalogue(arrays):
    facts = find_dataset("photo_crops")
    assert arrays["train_images"].shape == (facts.train_count, *facts.image_shape)
    assert arrays["test_images"].shape == (facts.test_count, *facts.image_shape)
    assert np.bincount(arrays["train_labels"]).tolist() == [100] * 10
    assert np.bincount(arrays["test_labels"]).tolist() == [30] * 10


def test_no_crop_is_in_both_splits(arrays):
    train = {image.tobytes() for image in arrays["train_images"]}
    assert not any(image.tobytes() in train for image in arrays["test_images"])


def test_bytes_are_fixed(arrays):
    content = hashlib.sha256()
    for name in sorted(arrays):
        content.update(arrays[name].tobytes())
    assert content.hexdigest()[:16] == "a22b712b35ba0779"


def test_shrinking_by_hand():
    photograph = np.zeros((320, 481, 3), np.uint8)
    photograph[0, 0] = 255
    small = shrink(photograph)
    assert small.shape == (160, 240, 3)
    assert small[0, 0].tolist() == [64, 64, 64]
    assert small.sum() == 3 * 64
