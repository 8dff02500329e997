"""The trials of a sweep that have something to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T", bound=Mapping[str, Any])


def finished_trials(trials: Sequence[_T], value: str) -> list[_T]:
    """Return the trials that have a `value`; those that failed have None.

    Raises
    ------
    ValueError
        If none has.
    """
    finished = [trial for trial in trials if trial.get(value) is not None]
    if not finished:
        raise ValueError(f"none of the {len(trials)} trials has a value of {value!r}")
    return finished
