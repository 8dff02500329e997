"""Estimating the scores of pictures, in their units, as those of scans are."""

from __future__ import annotations

from typing import Any

from structnets.forms.picture_scores.units import units
from structnets.forms.scores.task import Estimation
from structnets.specs.resolved import ResolvedSpec


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Estimation:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    mean, deviation, *_ = units(spec, manifest)
    return Estimation(mean, deviation)
