"""Pictures with standardised scores, as a spec reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.crops import CenterCrop
from structnets.data.originals.verified_image import side_of
from structnets.data.prepared.shards import ShardedSplit
from structnets.forms.picture_scores.stored import load_scored
from structnets.forms.picture_scores.units import parts, units
from structnets.forms.shards.answered import AnsweredImages
from structnets.forms.shards.source import Sight
from structnets.specs.resolved import ResolvedSpec, ShardSpec


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, AnsweredImages]:
    """Open the pictures a spec uses (`structnets.forms.tasks.open_examples`)."""
    mean, deviation, *_ = units(spec, manifest)
    if spec["recipe"]["kind"] == "gradient":
        sight = Sight.of(cast("ShardSpec", spec), prepared, manifest)
    else:
        sight = whole_sight(manifest["geometry"], spec["seed"])

    def of(split: ShardedSplit, rows: np.ndarray, scores: np.ndarray) -> AnsweredImages:
        targets = torch.from_numpy(((scores - mean) / deviation).astype(np.float32))
        return AnsweredImages(split, rows, sight, targets)

    train, scores = load_scored(prepared, "train")
    test, test_scores = load_scored(prepared, "test")
    kept, held = parts(spec, len(train))
    examples = {
        "train": of(train, kept, scores),
        "test": of(test, np.arange(len(test)), test_scores),
    }
    if len(held):
        examples["validation"] = of(train, held, scores)
    return examples


def whole_sight(geometry: str, seed: int) -> Sight:
    """Return how pictures are seen that are fitted to without gradients: their middle square."""
    middle = CenterCrop(side_of(geometry))
    return Sight(middle, middle, Standardization([0.0] * 3, [1.0] * 3), None, seed)
