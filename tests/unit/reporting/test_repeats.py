"""Intervals and p of a study with several dealings are of the means that they stand beside."""

import numpy as np
import pytest

from structnets.reporting.cohort_scores import Answers, score_answers
from structnets.reporting.score_results import score_estimates

PEOPLE = 40
NAMES = [f"p{number}" for number in range(PEOPLE)]
PAIRS = [f"p{number // 4}-{number % 2}" for number in range(PEOPLE)]  # two scans of one label
LABELS = np.arange(PEOPLE) % 2
FOLDS = np.stack([np.arange(PEOPLE) // 2 % 5] * 5)
# The first dealing knows nearly all, the others nothing.
KNOWN = np.array([2.0, 0, 0, 0, 0])[:, None]


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(5, PEOPLE))


def _classes(odds, people=NAMES):
    return score_answers(Answers.of_log_odds(odds), LABELS, FOLDS, people, ["control", "patient"])


@pytest.mark.parametrize("people", [NAMES, PAIRS], ids=["one scan each", "two scans each"])
def test_classes_are_judged_by_all_dealings(noise, people):
    odds = KNOWN * (2 * LABELS - 1) + noise
    first, found = _classes(odds[:1], people), _classes(odds, people)
    for key in ("accuracy", "balanced_accuracy", "auc"):
        low, high = found.intervals[key]
        assert low < found.scores[key] < high < first.scores[key], key
    assert found.p["accuracy"] > first.p["accuracy"] == 1 / 10001


def test_several_classes_are_judged_by_all_dealings(noise):
    labels = np.arange(PEOPLE) % 3
    odds = KNOWN[..., None] * np.eye(3)[labels] * 2 + np.stack([noise, noise[::-1], 0 * noise], -1)
    chances = np.exp(odds) / np.exp(odds).sum(-1, keepdims=True)
    found = score_answers(Answers.of_probabilities(chances), labels, FOLDS, NAMES, ["a", "b", "c"])
    for key in ("accuracy", "auc"):
        low, high = found.intervals[key]
        assert low < found.scores[key] < high, key


def test_dealings_that_are_alike_are_as_one(noise):
    odds = np.stack([2 * (2 * LABELS - 1) + noise[0]] * 3)
    one, three = _classes(odds[:1]), _classes(odds)
    for key, ends in one.intervals.items():
        assert three.intervals[key] == pytest.approx(ends), key
    assert one.p == three.p
    sure = _classes(odds + 9 * (2 * LABELS - 1))  # a bootstrap would take it for certain
    assert sure.intervals["accuracy"][0] < sure.scores["accuracy"] == 100


def test_scores_are_judged_by_all_dealings(noise):
    scores = np.linspace(50, 80, PEOPLE)
    estimates = 65 + KNOWN / 2 * (scores - 65) + 3 * noise
    first, found = (score_estimates(e, scores, FOLDS, NAMES) for e in (estimates[:1], estimates))
    for key in ("mae", "rmse", "r2", "r"):
        low, high = found.intervals[key]
        assert low < found.scores[key] < high, key
        assert not low <= first.scores[key] <= high, key
    assert first.p == {"mae": 1 / 10001, "r": 1 / 10001}


def test_what_is_not_stated_of_estimates_has_no_p(noise):
    scores = np.linspace(50, 80, PEOPLE)
    noise[0, 7] = np.nan
    found = score_estimates(noise[:1], scores, FOLDS, NAMES)
    assert (found.scores, found.intervals, found.p) == ({}, {}, {})
    constant = score_estimates(np.full((1, PEOPLE), 65.0), scores, FOLDS, NAMES)
    assert set(constant.p) == {"mae"}
