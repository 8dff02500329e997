"""Predictions of held-out people, by hand and by property."""

import numpy as np
import pytest

from structnets.metrics.binary import binary_scores
from structnets.metrics.held_out import (
    accuracy,
    auc,
    balanced_accuracy,
    brier,
    brier_of_classes,
    calibration,
    mean_auc,
    roc_points,
)
from structnets.metrics.regression import pearson, r2
from structnets.metrics.resampling import all_or_none_interval, bootstrap_interval, permutation_p

LABELS = np.array([0] * 12 + [1] * 4)


def test_scores_by_hand():
    answers = np.array([0] * 12 + [0, 0, 0, 1])
    assert accuracy(LABELS, answers) == pytest.approx(100 * 13 / 16)
    assert balanced_accuracy(LABELS, answers) == pytest.approx((100 + 25) / 2)


def test_an_interval_holds_the_score_and_narrows_with_people():
    rng = np.random.default_rng(0)
    widths = []
    for many in (1, 25):
        labels = np.tile(LABELS, many)
        answers = np.where(rng.random(labels.size) < 0.8, labels, 1 - labels)
        low, high = bootstrap_interval(accuracy, labels, answers, range(labels.size), draws=300)
        assert low <= accuracy(labels, answers) <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_scans_of_one_person_are_drawn_together():
    answers = np.array([0] * 6 + [1] * 6 + [1] * 4)
    apart = bootstrap_interval(accuracy, LABELS, answers, range(16), draws=300)
    people = [*([0] * 6), *([1] * 6), *([2] * 4)]
    together = bootstrap_interval(accuracy, LABELS, answers, people, draws=300)
    assert together[1] - together[0] > 1.5 * (apart[1] - apart[0])


def test_a_class_is_never_absent():
    low, high = bootstrap_interval(balanced_accuracy, LABELS, LABELS, range(16), draws=100)
    assert (low, high) == (100, 100)


def test_being_always_right_is_not_certain():
    """Of 8 who are all right, the true rate is above 73 %; exactly so by Jeffreys' prior."""
    labels, right = np.zeros(8, int), np.ones(8, bool)
    low, high = all_or_none_interval(labels, right, range(8), balanced=False)
    assert (low, high) == (pytest.approx(73.8, abs=1.0), 100)
    assert all_or_none_interval(labels, right, [0] * 8, balanced=False)[0] < 20  # one person
    mixed = np.array([True] * 6 + [False] * 2)
    assert all_or_none_interval(labels, mixed, range(8), balanced=True) is None


def test_permutations_tell_knowledge_from_chance():
    assert permutation_p(accuracy, LABELS, LABELS, permutations=500) < 0.01
    # To give one answer to all knows nothing of anybody.
    assert permutation_p(accuracy, LABELS, np.zeros(16, int), permutations=500) == 1


@pytest.mark.parametrize(
    ("score", "labels", "answers"),
    [
        (pearson, np.arange(16.0), np.ones(16)),
        (r2, np.arange(16.0), np.where(np.arange(16) == 3, np.nan, np.arange(16.0))),
        (auc, np.ones(16, int), np.arange(16.0)),
    ],
)
def test_what_has_no_score_has_no_p(score, labels, answers):
    with np.errstate(invalid="ignore"):
        assert np.isnan(permutation_p(score, labels, answers, permutations=50))


def test_shuffled_labels_without_a_score_count_as_as_good():
    def none_but_unshuffled(labels, answers):
        return np.where((labels == answers).all(-1), 1.0, np.nan)

    assert permutation_p(none_but_unshuffled, LABELS, LABELS, permutations=50) == 1


def test_exact_permutation_p():
    """Of the 6 ways to choose 2 of 4, one is as good as the truth."""
    labels = np.array([0, 0, 1, 1])
    found = permutation_p(accuracy, labels, labels, permutations=5000)
    assert found == pytest.approx(1 / 6, abs=0.02)


def test_people_are_shuffled_and_not_their_scans():
    """Of the 6 ways to choose 2 of 4 people, one is as good as the truth, however many scans."""
    people = np.repeat(np.arange(4), [5, 3, 5, 3])
    labels = np.array([0, 0, 1, 1])[people]
    assert permutation_p(accuracy, labels, labels, permutations=5000) < 1e-3
    found = permutation_p(accuracy, labels, labels, people, permutations=5000)
    assert found == pytest.approx(1 / 6, abs=0.02)
    alone = permutation_p(accuracy, LABELS, LABELS, range(16), permutations=500)
    assert alone == permutation_p(accuracy, LABELS, LABELS, permutations=500)


def test_labels_that_change_within_people_go_together():
    """Four of two scans: the one in two halves of whom the label changes is told in 1 of 4."""
    people, labels = np.repeat(np.arange(4), 2), np.array([0, 1, 0, 0, 0, 0, 0, 0])
    found = permutation_p(accuracy, labels, labels, people, permutations=5000)
    assert found == pytest.approx(1 / 4, abs=0.02)
    # Nobody else has as many scans: nothing can be shuffled.
    odd = np.array([0, 0, 0, 1, 1])
    assert permutation_p(accuracy, np.array([0, 1, 0, 1, 1]), np.array([0, 1, 0, 1, 1]), odd) == 1


def test_roc_encloses_the_area_under_it():
    scores = np.random.default_rng(1).normal(size=16).round(1) + LABELS
    false, true = roc_points(LABELS, scores)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert 100 * np.trapezoid(true, false) == pytest.approx(binary_scores(LABELS, scores)["auc"])


def test_infinite_scores_make_one_step():
    sure = np.repeat([np.inf, -np.inf], 8)
    false, true = roc_points(LABELS, sure)
    assert (false.tolist(), true.tolist()) == ([0, 8 / 12, 1], [0, 0, 1])
    with pytest.raises(ValueError, match="1 scores are NaN"):
        roc_points(LABELS, np.where(np.arange(16) == 3, np.nan, 0))


def test_what_is_no_class_and_no_probability_is_refused():
    chances = np.full((16, 2), 0.5)
    for score in (mean_auc, brier_of_classes):
        with pytest.raises(ValueError, match="from 0 to 1, got -1"):
            score(LABELS - 1, chances)
    with pytest.raises(ValueError, match=r"0 or 1, got \[0, 2\]"):
        auc(2 * LABELS, chances[:, 0])
    for wrong in (np.nan, 1.5, -0.1):
        with pytest.raises(ValueError, match=f"from 0 to 1, got {wrong}"):
            calibration(LABELS, np.where(LABELS, 0.5, wrong))


def test_area_is_that_of_the_binary_scores():
    scores = np.random.default_rng(2).normal(size=16).round(1)
    assert auc(LABELS, scores) == pytest.approx(binary_scores(LABELS, scores)["auc"])


def test_calibration_by_hand():
    found = calibration(np.array([0, 1, 1, 1]), np.array([0.1, 0.15, 0.9, 1.0]))
    assert found == [(pytest.approx(0.125), 0.5, 2), (pytest.approx(0.95), 1.0, 2)]
    assert brier(np.array([0, 1]), np.array([0.5, 0.5])) == 0.25


def test_scores_of_three_classes_by_hand():
    labels = np.array([0, 1, 2])
    chances = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]])
    # Class 0: above both others; 1: above both; 2: above both.
    assert mean_auc(labels, chances) == 100
    # The first is less of class 0 than the second, who is none: half of its two pairs are right.
    other = chances[[1, 0, 2]]
    assert mean_auc(labels, other) == pytest.approx((50 + 50 + 100) / 3)
    squares = (0.16 + 0.09 + 0.01) + (0.25 + 0.36 + 0.01) + (0.04 + 0.04 + 0.16)
    assert brier_of_classes(labels, chances) == pytest.approx(squares / 3)
    assert brier_of_classes(labels, np.full((3, 3), 1 / 3)) == pytest.approx(1 - 1 / 3)


def test_several_classes_agree_with_two():
    rng = np.random.default_rng(1)
    second = rng.random(LABELS.size)
    both = np.stack([1 - second, second], 1)
    assert mean_auc(LABELS, both) == pytest.approx(auc(LABELS, second))
    assert brier_of_classes(LABELS, both) == pytest.approx(2 * brier(LABELS, second))
    drawn = np.stack([rng.permutation(LABELS.size) for _ in range(3)])
    each = [mean_auc(LABELS[rows], both[rows]) for rows in drawn]
    assert mean_auc(LABELS[drawn], both[drawn]) == pytest.approx(each)
