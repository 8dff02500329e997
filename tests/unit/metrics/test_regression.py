"""Errors of estimates: values by hand, and what is not defined."""

import numpy as np
import pytest

from structnets.metrics.regression import (
    far_values,
    mae,
    pearson,
    r2,
    rmse,
    scores_of_estimates,
)
from structnets.metrics.resampling import bootstrap_interval, gain_interval, permutation_p
from structnets.metrics.score_warnings import check_scores

SCORES = np.array([1.0, 2.0, 3.0, 6.0])


def test_scores_by_hand():
    found = scores_of_estimates(SCORES, np.array([2.0, 2.0, 5.0, 6.0]))
    # Errors 1, 0, 2, 0; the scores lie 2, 1, 0, 3 from their mean.
    assert found["mae"] == 0.75
    assert found["rmse"] == pytest.approx(np.sqrt(5 / 4))
    assert found["r2"] == pytest.approx(1 - 5 / 14)
    assert found["r"] == pytest.approx(np.corrcoef(SCORES, [2, 2, 5, 6])[0, 1])


def test_always_the_mean_has_no_correlation_and_explains_nothing():
    assert scores_of_estimates(SCORES, np.full(4, 3.0)) == {
        "mae": 1.5,
        "rmse": 14**0.5 / 2,
        "r2": 0,
    }
    assert scores_of_estimates(SCORES[:1], SCORES[:1] + 1) == {"mae": 1, "rmse": 1}
    # A third is no binary number: what rounding leaves is no spread.
    assert np.isnan(pearson(SCORES, np.full(4, 1 / 3) + 1e7))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e7 + 1 / 3])
def test_equal_scores_have_no_coefficient_of_determination(value):
    scores = np.full(3, value)  # whose mean is not quite the value
    assert np.isnan(r2(scores, scores + 1))
    assert "r2" not in scores_of_estimates(scores, scores + 1)


def test_leading_axes_are_scored_one_by_one():
    rng = np.random.default_rng(0)
    estimates = rng.normal(size=(3, 4))
    for score in (mae, rmse, r2, pearson):
        each = [float(score(SCORES, one)) for one in estimates]
        assert score(np.tile(SCORES, (3, 1)), estimates) == pytest.approx(each)


def test_intervals_and_permutations_tell_what_knows_from_what_does_not():
    rng = np.random.default_rng(1)
    scores = rng.normal(50, 10, 80)
    people, strata = list(range(80)), np.zeros(80, int)
    knows, chance = scores + rng.normal(0, 5, 80), rng.normal(50, 10, 80)
    low, high = bootstrap_interval(mae, scores, knows, people, strata=strata)
    assert low < mae(scores, knows) < high
    assert high - low < 3
    assert permutation_p(pearson, scores, knows) == 1 / 10001
    assert permutation_p(pearson, scores, chance) > 0.05


@pytest.mark.parametrize("digits", [3, 0], ids=["real", "whole"])
def test_a_continuous_score_is_no_stratum(digits):
    """Within strata of one person or two, nobody would be drawn in the place of another."""
    rng = np.random.default_rng(2)
    scores = rng.normal(50, 30, 60).round(digits)
    estimates, people = scores + rng.normal(0, 5, 60), range(60)
    together = bootstrap_interval(mae, scores, estimates, people, strata=np.zeros(60))
    assert bootstrap_interval(mae, scores, estimates, people) == together


def test_strata_that_are_no_whole_numbers_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        bootstrap_interval(mae, SCORES, SCORES, range(4), strata=np.array([0, 0, 0.5, 1]))


def test_values_far_from_all_others_are_found():
    assert far_values([61, 64, 66, 70, 71, 75, 999]) == [999]
    assert far_values([61, 64, 66, 70, 71, 75, -999, -999]) == [-999]
    assert far_values([1, 2, 3, 4, 8]) == []
    assert far_values([1, 2, 3, np.nan, 4]) == []
    assert far_values([1, 2, 3, 4, np.inf]) == [np.inf]
    assert far_values([np.nan]) == []


def test_differences_of_unsigned_integers_are_no_large_numbers():
    scores, estimates = np.array([1, 2, 3, 6], np.uint8), np.array([2, 2, 5, 6], np.uint8)
    assert scores_of_estimates(scores, estimates) == scores_of_estimates(
        SCORES, np.array([2.0, 2, 5, 6])
    )
    low, high = gain_interval(scores, estimates, range(4))
    assert -2 <= low <= high <= 0


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="nowhere a number"):
        check_scores(["nan"] * 3, "age")
