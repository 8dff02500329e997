"""How numbers are written, and how long a run took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def spent_s(result: Mapping[str, Any]) -> float:
    """Return the seconds that a run took at least.

    ``wall_s`` is of the last attempt alone; ``train_s`` is of the steps of all of them.
    """
    return max(result["wall_s"], result["train_s"])


def number(value: float, digits: int = 2) -> str:
    """Format a metric or a count."""
    return f"{value:,.{digits}f}"


def gap(value: float, digits: int = 2) -> str:
    """Format a difference with its sign."""
    return f"{value:+,.{digits}f}".replace("-", "−")
