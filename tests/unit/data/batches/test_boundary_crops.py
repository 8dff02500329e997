"""Crops of images with boundaries: functions of seed, step and place, moved with their labels."""

import numpy as np
import pytest

from structnets.data.batches.boundary_crops import BoundaryCrops

AXES = ((), (1,), (2,), (1, 2))


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (3, 21, 34), dtype=np.uint8)
    return image, (image[0] > 127).astype(np.uint8)


def test_crops_are_a_function_of_seed_step_and_place(example):
    crops = BoundaryCrops((8, 13), seed=3)
    image, label = crops(*example, 5, 2)
    assert (image.shape, label.shape) == ((3, 8, 13), (1, 8, 13))
    assert image.dtype == label.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1
    assert np.array_equal(image, BoundaryCrops((8, 13), seed=3)(*example, 5, 2)[0])
    another = BoundaryCrops((8, 13), seed=4)(*example, 5, 2)
    for other, _ in (crops(*example, 6, 2), crops(*example, 5, 3), another):
        assert not np.array_equal(image, other)


def test_whole_crops_are_mirrored_with_their_labels(example):
    image, label = example
    seen = set()
    for place in range(24):
        moved, marked = BoundaryCrops(gamma=None)(image, label, 0, place)
        whole = image / np.float32(255)
        (axes,) = [axes for axes in AXES if np.array_equal(np.flip(whole, axes), moved)]
        assert np.array_equal(np.flip(label[None], axes), marked)
        seen.add(axes)
    assert seen == set(AXES)


def test_crops_show_a_part_of_image_and_label(example):
    image, label = BoundaryCrops((8, 13), flips=False, gamma=None)(*example, 1, 1)
    assert np.array_equal(label[0], np.rint(255 * image[0]) > 127)


def test_gamma_changes_intensities_alone(example):
    crops = BoundaryCrops(flips=False, gamma=(2, 2))
    image, label = crops(*example, 0, 0)
    assert np.allclose(image, (example[0] / 255) ** 2, atol=1e-6)
    assert np.array_equal(label[0], example[1])


def test_impossible_crops(example):
    with pytest.raises(ValueError, match=r"within the images' \(21, 34\), got \(22, 10\)"):
        BoundaryCrops((22, 10))(*example, 0, 0)
    with pytest.raises(ValueError, match=r"gamma must be a range .* got \(2, 1\)"):
        BoundaryCrops(gamma=(2, 1))
