"""Inner folds that leave some of every class."""

import itertools

import pytest

from structnets.specs.inner_folds import leave_every_class


def share_that_holds_a_class(total, least, inner):
    """Return in how many of all ways to deal people some fold holds all of the first class."""
    size = -(-total // inner)
    sizes = [size] + [total // inner] * (inner - 1)
    ways = held = 0
    for order in itertools.permutations(range(total)):
        parts = [set(order[sum(sizes[:i]) : sum(sizes[: i + 1])]) for i in range(inner)]
        ways += 1
        held += any(set(range(least)) <= part for part in parts)
    return held / ways


@pytest.mark.parametrize(("total", "least", "inner"), [(4, 2, 2), (6, 3, 2), (6, 2, 3), (6, 2, 2)])
def test_folds_that_may_hold_a_class_are_told(total, least, inner):
    assert share_that_holds_a_class(total, least, inner) > 0.01
    assert not leave_every_class(total, least, inner)


@pytest.mark.parametrize(("total", "least", "inner"), [(4, 2, 4), (6, 3, 3), (6, 4, 2)])
def test_folds_smaller_than_the_class_are_right(total, least, inner):
    assert share_that_holds_a_class(total, least, inner) == 0
    assert leave_every_class(total, least, inner)


def test_what_is_hardly_possible_is_right():
    assert leave_every_class(113, 25, 3)  # AD-126 in ten folds


@pytest.mark.parametrize(("total", "least", "inner"), [(4, 1, 4), (4, 2, 1), (4, 2, 5)])
def test_what_is_no_cross_validation(total, least, inner):
    assert not leave_every_class(total, least, inner)
