"""How sure a score of samples that belong together is: groups are drawn, and left out in turn.

Groups count as people do in `structnets.metrics.resampling`. Draws are the same for every score of
the same groups, so that the difference of two scores is one of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from structnets.metrics.resampling import DRAWS

FEWEST_GROUPS = 3
"""Of fewer there is no interval."""
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Regrouped:
    """A score over groups.

    Attributes
    ----------
    whole : float
        Of all.
    drawn : numpy.ndarray
        (draws,), of as many groups, drawn with replacement; not a number where it is not defined.
    without : numpy.ndarray
        (groups,), of all but one of them.
    """

    whole: float
    drawn: np.ndarray
    without: np.ndarray

    def __sub__(self, other: Regrouped) -> Regrouped:
        """Return how much higher this score is than another over the same groups."""
        return Regrouped(
            self.whole - other.whole, self.drawn - other.drawn, self.without - other.without
        )

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the interval over other groups; None of fewer than three.

        It is the wider of the bootstrap's, which is too narrow for few groups, and Student's t of
        the scores without each (the jackknife).
        """
        count = len(self.without)
        if count < FEWEST_GROUPS:
            return None
        from scipy.stats import t

        low, high = np.nanquantile(self.drawn, [(1 - level) / 2, (1 + level) / 2])
        error = np.sqrt((count - 1) * np.nanvar(self.without))
        half = t.ppf((1 + level) / 2, count - 1) * error
        return float(min(low, self.whole - half)), float(max(high, self.whole + half))


def mean_over_groups(values: np.ndarray, groups: Sequence[object]) -> Regrouped:
    """Return the mean of values (N,), each sample counting alike.

    Examples
    --------
    >>> found = mean_over_groups(np.array([1.0, 1.0, 2.0, 4.0]), ["a", "a", "b", "c"])
    >>> found.whole, found.without.tolist()
    (2.0, [3.0, 2.0, 1.3333333333333333])
    """
    place = _numbers(groups)
    counts, sums = np.bincount(place), np.bincount(place, values)
    drawn = [sums[of].sum(1) / counts[of].sum(1) for of in _draws(len(counts), DRAWS)]
    left = counts.sum() - counts
    without = (sums.sum() - sums) / np.where(left, left, np.nan)
    return Regrouped(float(values.mean()), np.concatenate(drawn), without)


def score_over_groups(
    score: Callable[[np.ndarray], float], groups: Sequence[object], draws: int = DRAWS
) -> Regrouped:
    """Return a score of the numbers of samples, which may come repeatedly, as `mean_over_groups`.

    Parameters
    ----------
    score : callable
        Not a number where it is not defined.
    groups : sequence
        N.
    """
    rows = rows_of(groups)
    drawn = [
        score(np.concatenate([rows[n] for n in of]))
        for part in _draws(len(rows), draws)
        for of in part
    ]
    without = [
        score(np.concatenate([*rows[:n], *rows[n + 1 :]])) if len(rows) > 1 else np.nan
        for n in range(len(rows))
    ]
    return Regrouped(score(np.arange(len(groups))), np.array(drawn), np.array(without))


def rows_of(groups: Sequence[object]) -> list[np.ndarray]:
    """Return the numbers of each group's samples, groups in order of their first."""
    numbers = _numbers(groups)
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.cumsum(np.bincount(numbers))[:-1])


def _numbers(groups: Sequence[object]) -> np.ndarray:
    number: dict[object, int] = {}
    return np.array([number.setdefault(group, len(number)) for group in groups])


def _draws(count: int, draws: int) -> Iterator[np.ndarray]:
    """Yield the groups of some draws at a time, (some, count): all of them may take much memory."""
    rng, some = np.random.default_rng(0), max(1, _AT_ONCE // count)
    for begin in range(0, draws, some):
        yield rng.integers(count, size=(min(some, draws - begin), count))
