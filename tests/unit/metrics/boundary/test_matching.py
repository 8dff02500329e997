"""Matching: the optimum that a dense solver finds, also while the predicted map changes."""

import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from structnets.metrics.boundary.matching import Matcher

REACH = 2.3


def cost_of(pairs: np.ndarray) -> int:
    distances = np.hypot(*(pairs[:, :2] - pairs[:, 2:]).T)
    return int(np.rint(100 * distances).sum())


def dense_optimum(predicted: np.ndarray, truth: np.ndarray, reach: float) -> tuple[int, int]:
    """Number of pairs and their cost, each pair worth 100 times the largest distance."""
    left, right = np.argwhere(predicted), np.argwhere(truth)
    distances = np.hypot(*np.moveaxis(left[:, None] - right[None], -1, 0))
    worth = math.ceil(100 * 100 * reach)
    gains = np.where(distances <= reach, worth - np.rint(100 * distances), 0).astype(int)
    rows, columns = linear_sum_assignment(gains, maximize=True)
    used = gains[rows, columns] > 0
    return int(used.sum()), int((worth - gains[rows, columns][used]).sum())


@pytest.mark.parametrize("densities", [(0.1, 0.1), (0.5, 0.1), (0.1, 0.5), (0.9, 0.6)])
@pytest.mark.parametrize("seed", range(5))
def test_dense_solver_agrees(random_maps, densities, seed):
    predicted, truth = random_maps(seed, *densities)
    matcher = Matcher(truth, REACH)
    matched, pairs = matcher.match(predicted), matcher.pairs()
    assert (len(pairs), cost_of(pairs)) == dense_optimum(predicted, truth, REACH)
    assert matched.sum() == len(pairs)
    assert not (matched & ~predicted).any()


@pytest.mark.parametrize("seed", range(5))
def test_optimum_stays_while_the_prediction_changes(random_maps, seed):
    truth, *sequence = random_maps(seed, 0.2, 0.05, 0.3, 0.8, 0.2, 0.0, 0.4)
    matcher = Matcher(truth, REACH)
    for predicted in sequence:
        matcher.match(predicted)
        pairs = matcher.pairs()
        assert (len(pairs), cost_of(pairs)) == dense_optimum(predicted, truth, REACH)


def test_pairs_are_one_to_one_and_near(random_maps):
    predicted, truth = random_maps(7, 0.5, 0.5)
    matcher = Matcher(truth, REACH)
    matcher.match(predicted)
    pairs = matcher.pairs()
    assert np.hypot(*(pairs[:, :2] - pairs[:, 2:]).T).max() <= REACH
    assert predicted[tuple(pairs[:, :2].T)].all()
    assert truth[tuple(pairs[:, 2:].T)].all()
    for side in (pairs[:, :2], pairs[:, 2:]):
        assert len(np.unique(side, axis=0)) == len(side)


def test_nearer_pixel_is_chosen_by_hand():
    truth, predicted = np.zeros((2, 1, 9), dtype=bool)
    truth[0, 4] = True
    predicted[0, [3, 6]] = True
    assert np.flatnonzero(Matcher(truth, REACH).match(predicted)) == [3]


def test_number_of_pairs_goes_before_nearness():
    # The near pair (2, 2) would leave 0 and 4 without partners.
    truth, predicted = np.zeros((2, 1, 5), dtype=bool)
    truth[0, [2, 4]] = True
    predicted[0, [0, 2]] = True
    assert Matcher(truth, REACH).match(predicted).sum() == 2


def test_below_one_pixel_only_equal_places_correspond(random_maps):
    predicted, truth = random_maps(1, 0.5, 0.5)
    assert np.array_equal(Matcher(truth, 0.4).match(predicted), predicted & truth)
