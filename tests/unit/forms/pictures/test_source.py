import numpy as np
import pytest

from structnets.forms.pictures.source import stratified_subset

LABELS = np.repeat([0, 1, 2], [60, 30, 6])


def test_every_class_has_its_part():
    for seed in range(5):
        chosen = LABELS[stratified_subset(LABELS, 32, seed)]
        assert np.bincount(chosen).tolist() == [20, 10, 2]


@pytest.mark.parametrize("size", [3, 4, 50])
def test_no_class_is_missing(size):
    for seed in range(20):
        chosen = stratified_subset(LABELS, size, seed)
        assert set(LABELS[chosen]) == {0, 1, 2}
        assert len(set(chosen.tolist())) == size


def test_subsets_of_a_seed_are_nested_and_seeds_differ():
    large = stratified_subset(LABELS, 40, 1)
    assert np.array_equal(stratified_subset(LABELS, 10, 1), large[:10])
    assert not np.array_equal(stratified_subset(LABELS, 40, 2), large)
    assert sorted(stratified_subset(LABELS, None, 1)) == list(range(96))


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="97"):
        stratified_subset(LABELS, 97, 0)
