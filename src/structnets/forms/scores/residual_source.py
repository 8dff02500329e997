"""Volumes whose covariates are regressed out by a fit to the training part, with their scores.

The score keeps what it shares with a covariate: what is taken out of every voxel cannot be used to
say it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.data.batches.array_examples import Images, Reading, hold_out
from structnets.files import read_json
from structnets.forms.cohort.covariate_columns import named_columns
from structnets.forms.cohort.covariates import design_matrix, residuals
from structnets.forms.scores.stored import load_scores_held_out
from structnets.specs.resolved import ResolvedSpec


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the volumes a spec uses (`structnets.forms.tasks.open_examples`).

    A part that the recipe holds out for validation is not fitted to either.
    """
    reading = Reading.of(spec, prepared, manifest)
    dealt = load_scores_held_out(prepared, spec["seed"])
    parts = hold_out(Images(dealt.volumes, dealt.targets, dealt.train, reading), spec)
    fitted = parts["train"].indices
    traits = [entry["traits"] for entry in read_json(prepared / "subjects.json")]
    design = design_matrix(named_columns(spec["data"]["prepare"]), traits, fitted)
    volumes = residuals(dealt.volumes, design, fitted)
    whole = Images(volumes, dealt.targets, dealt.train, reading)
    return {
        **hold_out(whole, spec),
        "test": Images(volumes, dealt.targets, dealt.test, reading),
    }
