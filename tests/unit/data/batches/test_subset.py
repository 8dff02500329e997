"""Subsets and validation splits: properties, golden values, errors."""

import numpy as np
import pytest

from structnets.data.batches.subset import train_indices, validation_split


def test_smaller_subsets_begin_larger_ones():
    everything = train_indices(1000, None, seed=3)
    assert sorted(everything) == list(range(1000))
    for size in (1, 300, 1000):
        np.testing.assert_array_equal(train_indices(1000, size, seed=3), everything[:size])


def test_seed_decides():
    assert (train_indices(1000, 300, 0) == train_indices(1000, 300, 0)).all()
    assert (train_indices(1000, 300, 0) != train_indices(1000, 300, 1)).any()


def test_every_image_is_equally_likely():
    first = [train_indices(5, 1, seed)[0] for seed in range(1000)]
    np.testing.assert_allclose(np.bincount(first), 200, atol=50)


def test_golden():
    assert train_indices(60_000, 5, 0).tolist() == [53924, 25556, 57691, 20554, 16026]
    train, validation = validation_split(np.arange(10), 0.3, 0)
    assert validation.tolist() == [1, 3, 8]
    assert train.dtype == np.int64


@pytest.mark.parametrize(("fraction", "count"), [(0.0, 0), (0.1, 30), (0.5, 150), (0.99, 297)])
def test_validation_is_a_disjoint_part_in_order(fraction, count):
    subset = train_indices(1000, 300, seed=0)
    train, validation = validation_split(subset, fraction, seed=0)
    assert len(validation) == count
    assert set(train) | set(validation) == set(subset)
    assert len(train) + count == 300
    for part in (train, validation):
        np.testing.assert_array_equal(part, [index for index in subset if index in set(part)])


def test_validation_depends_on_seed():
    first, second = (validation_split(np.arange(100), 0.5, seed)[1] for seed in (0, 1))
    assert set(first) != set(second)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 0), "size 11 is larger than the training set of 10 images"),
        ((10, 0, 0), "size must be an integer of at least 1, got 0"),
        ((10, 2.5, 0), r"size must be an integer of at least 1, got 2\.5"),
        ((10, True, 0), "size must be an integer"),
        ((0, None, 0), "n_total must be an integer of at least 1, got 0"),
        ((10, 5, -1), "seed must be an integer of at least 0, got -1"),
    ],
)
def test_subset_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_indices(*arguments)


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        (-0.1, "fraction must be at least 0"),
        (1.0, "less than 1, got 1.0"),
        (float("nan"), "got nan"),
        (0.04, "leaves 0 for validation and 10 for training"),
        (0.96, "leaves 10 for validation and 0 for training"),
    ],
)
def test_validation_errors(fraction, message):
    with pytest.raises(ValueError, match=message):
        validation_split(np.arange(10), fraction, 0)
