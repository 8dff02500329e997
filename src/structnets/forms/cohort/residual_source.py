"""Volumes of a cohort whose covariates are regressed out by a fit to the training part alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from structnets.data.batches.array_examples import Images, Reading, hold_out
from structnets.files import read_json
from structnets.forms.cohort.covariate_columns import named_columns
from structnets.forms.cohort.covariates import design_matrix, residuals
from structnets.forms.cohort.stored import load_held_out
from structnets.specs.resolved import ResolvedSpec


class Dealt(Protocol):
    """One step of a cross-validation: `structnets.forms.cohort.stored.HeldOut` is one."""

    @property
    def volumes(self) -> np.ndarray:
        """(N, 1, X, Y, Z)."""
        ...

    @property
    def train(self) -> np.ndarray:
        """Rows trained on."""
        ...

    @property
    def test(self) -> np.ndarray:
        """Rows held out."""
        ...


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the volumes a spec uses (`structnets.forms.tasks.open_examples`).

    A part that the recipe holds out for validation is not fitted to either.
    """
    dealt = load_held_out(prepared, spec["seed"])
    return residual_examples(spec, prepared, manifest, dealt, dealt.labels)


def residual_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any], dealt: Dealt, answers: np.ndarray
) -> dict[str, Images]:
    """Take covariates out of the volumes of one run; `answers` (N,) are labels or scores."""
    reading = Reading.of(spec, prepared, manifest)
    parts = hold_out(Images(dealt.volumes, answers, dealt.train, reading), spec)
    fitted = parts["train"].indices
    traits = [entry["traits"] for entry in read_json(prepared / "subjects.json")]
    design = design_matrix(named_columns(spec["data"]["prepare"]), traits, fitted)
    volumes = residuals(dealt.volumes, design, fitted)
    whole = Images(volumes, answers, dealt.train, reading)
    return {
        **hold_out(whole, spec),
        "test": Images(volumes, answers, dealt.test, reading),
    }
