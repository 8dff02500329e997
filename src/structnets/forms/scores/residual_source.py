"""Volumes whose covariates are regressed out by a fit to the training part, with their scores.

The score keeps what it shares with a covariate: what is taken out of every voxel cannot be used to
say it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.data.batches.array_examples import Images
from structnets.forms.cohort.residual_source import residual_examples
from structnets.forms.scores.stored import load_scores_held_out
from structnets.specs.resolved import ResolvedSpec


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the volumes a spec uses (`structnets.forms.tasks.open_examples`).

    A part that the recipe holds out for validation is not fitted to either.
    """
    dealt = load_scores_held_out(prepared, spec["seed"])
    return residual_examples(spec, prepared, manifest, dealt, dealt.targets)
