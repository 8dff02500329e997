"""Scores of samples that belong together, by hand and by simulations of nets that gain nothing."""

import numpy as np
import pytest

from structnets.metrics.grouped import mean_over_groups, score_over_groups
from structnets.metrics.resampling import gain_interval
from structnets.reporting.intervals import student_interval

RANDOM = np.random.default_rng(0)


def no_gains(groups, each, count):
    """Gains that are 0 on average over groups, and the groups: (count, N), (N,)."""
    of = np.repeat(np.arange(groups), each)
    shared = RANDOM.normal(0, 1, (count, groups))[:, of]
    return shared + RANDOM.normal(0, 0.5, (count, of.size)), of.tolist()


@pytest.mark.parametrize(("groups", "each"), [(4, 50), (10, 20)])
def test_what_gains_nothing_is_called_better_in_the_nominal_share(groups, each):
    """Of 2.5 %; by pictures it were 39 % of four groups, by the bootstrap alone 9 %."""
    gains, of = no_gains(groups, each, 200)
    better = np.mean([mean_over_groups(one, of).interval()[0] > 0 for one in gains])
    assert better < 0.06


def test_the_interval_of_few_equal_groups_is_students():
    gains, of = no_gains(5, 8, 1)
    low, high = student_interval(gains.reshape(5, 8).mean(1).tolist())
    assert mean_over_groups(gains[0], of).interval() == pytest.approx((low, high))


def test_many_groups_of_one_are_as_the_samples_are():
    gains = RANDOM.normal(0.1, 1, 400)
    found = mean_over_groups(gains, range(400)).interval()
    assert found == pytest.approx(gain_interval(gains, np.zeros(400), range(400)), abs=0.01)


def test_a_mean_is_a_score_like_any_other():
    values, of = RANDOM.random(9), [3, 3, "a", 1, 1, 1, "b", "b", "b"]
    found, other = mean_over_groups(values, of), score_over_groups(lambda n: values[n].mean(), of)
    assert found.whole == other.whole
    np.testing.assert_allclose(found.drawn, other.drawn)
    np.testing.assert_allclose(found.without, other.without)
    better = mean_over_groups(values + 1, of) - found
    assert better.interval() == pytest.approx((1, 1))


@pytest.mark.parametrize("of", [[0, 0, 0, 1], [0, 0, 0, 0]])
def test_fewer_than_three_groups_have_no_interval(of):
    values = np.arange(4.0)
    assert mean_over_groups(values, of).interval() is None
    assert score_over_groups(lambda n: values[n].mean(), of).interval() is None
