"""Folds by subject: stratified, seeded, audited."""

import numpy as np
import pytest

from structnets.cohorts.folds import (
    audit_folds,
    group_duplicates,
    near_duplicates,
    stratified_folds,
)

LABELS = np.array([0] * 98 + [1] * 28)
SUBJECTS = [f"s{number}" for number in range(126)]


def test_folds_are_stratified_and_level():
    folds = stratified_folds(LABELS, SUBJECTS, 10)
    sizes, patients = np.bincount(folds), np.bincount(folds[LABELS == 1], minlength=10)
    assert set(sizes) == {12, 13}
    assert set(patients) == {2, 3}


def test_repetitions_differ_and_repeat():
    first, second = (stratified_folds(LABELS, SUBJECTS, 10, number) for number in (0, 1))
    assert (first != second).mean() > 0.8
    np.testing.assert_array_equal(first, stratified_folds(LABELS, SUBJECTS, 10, 0))


def test_golden_folds():
    folds = stratified_folds(np.arange(12) % 2, list("abcdefghijkl"), 3)
    assert folds.tolist() == [2, 1, 0, 2, 0, 0, 1, 1, 2, 2, 1, 0]


def test_a_subject_stays_on_one_side():
    subjects = [f"s{number // 2}" for number in range(40)]
    folds = stratified_folds(np.arange(40) // 2 % 2, subjects, 5)
    assert audit_folds(folds, subjects, []) == []
    np.testing.assert_array_equal(folds[::2], folds[1::2])


def test_the_audit_finds_leaks():
    folds = np.array([0, 1, 1, 0])
    found = audit_folds(folds, ["a", "b", "a", "c"], [(1, 3, 0.9991)])
    assert found == [
        "subject a is in folds [0, 1]",
        "b and c (correlation 0.9991) are in folds 1 and 0",
    ]


def test_near_duplicates_are_found_and_kept_together():
    rng = np.random.default_rng(0)
    volumes = rng.integers(0, 256, (6, 1, 28, 30, 28)).astype(np.uint8)
    volumes[4] = volumes[1] // 2 + 20
    pairs = near_duplicates(volumes)
    assert [pair[:2] for pair in pairs] == [(1, 4)]
    groups = group_duplicates(list("abcdef"), pairs)
    assert groups == ["a", "b", "c", "d", "b", "f"]


def test_chains_of_duplicates_are_one_group():
    assert group_duplicates(list("abcd"), [(2, 3, 1.0), (0, 2, 1.0)]) == ["a", "b", "a", "a"]


@pytest.mark.parametrize(
    ("folds", "message"),
    [(1, "at least 2, got 1"), (30, "class 1 has 28 subjects, too few for 30 folds")],
)
def test_impossible_folds(folds, message):
    with pytest.raises(ValueError, match=message):
        stratified_folds(LABELS, SUBJECTS, folds)
