"""Which (metric, step) pairs are already logged (standard library only)."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class LoggedSteps:
    """The steps already logged, per metric: exact, at eight bytes a step.

    A training logs its steps in rising order, so that a sorted array is appended to; a late
    step is found, or put in its place, by bisection.
    """

    def __init__(self) -> None:
        self._steps: dict[str, array[int]] = {}

    def add(self, name: str, step: int) -> bool:
        """Remember a pair.

        Returns
        -------
        bool
            True if the pair is new, False if it had been logged before.
        """
        steps = self._steps.setdefault(name, array("q"))
        if not steps or step > steps[-1]:
            steps.append(step)
            return True
        place = bisect_left(steps, step)
        if steps[place] == step:
            return False
        steps.insert(place, step)
        return True

    def last(self, name: str) -> int | None:
        """Return the highest step logged under `name`, or None."""
        steps = self._steps.get(name)
        return steps[-1] if steps else None
