"""Volumes and standardised scores: the fold of the spec's seed takes the place of a test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.data.batches.array_examples import Images, Reading, hold_out
from structnets.forms.scores.stored import load_scores_held_out
from structnets.specs.resolved import ResolvedSpec


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the volumes a spec uses (`structnets.forms.tasks.open_examples`)."""
    reading = Reading.of(spec, prepared, manifest)
    dealt = load_scores_held_out(prepared, spec["seed"])
    whole = Images(dealt.volumes, dealt.targets, dealt.train, reading)
    return {
        **hold_out(whole, spec),
        "test": Images(dealt.volumes, dealt.targets, dealt.test, reading),
    }
