"""How numbers are written."""

from __future__ import annotations


def number(value: float, digits: int = 2) -> str:
    """Format a metric or a count."""
    return f"{value:,.{digits}f}"


def gap(value: float, digits: int = 2) -> str:
    """Format a difference with its sign."""
    return f"{value:+,.{digits}f}".replace("-", "−")
