"""Pictures with standardised scores, as a spec reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.crops import CenterCrop, Crop
from structnets.data.batches.examples import Step
from structnets.data.originals.verified_image import side_of
from structnets.data.prepared.shards import ShardedSplit
from structnets.forms.picture_scores.stored import load_scored
from structnets.forms.picture_scores.units import parts, units
from structnets.forms.shards.source import ShardedImages, Sight
from structnets.specs.resolved import ResolvedSpec, ShardSpec


class ScoredPictures(ShardedImages):
    """Some pictures of a split; their targets are scores.

    Parameters
    ----------
    split, rows, sight
        As `structnets.forms.shards.source.ShardedImages` has them.
    targets : Tensor, shape (N,)
        Standardised scores of all pictures of the split.
    """

    def __init__(
        self, split: ShardedSplit, rows: np.ndarray, sight: Sight, targets: Tensor
    ) -> None:
        super().__init__(split, rows, sight)
        self.targets = targets

    def _read(
        self, steps: Iterable[Step], crop: Crop, device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        steps = list(steps)
        stream = super()._read(steps, crop, device)
        for step, (pictures, _) in zip(steps, stream, strict=True):
            rows = torch.from_numpy(self.rows[step.batch[step.part]])
            yield pictures, self.targets[rows].to(device, non_blocking=True)


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, ScoredPictures]:
    """Open the pictures a spec uses (`structnets.forms.tasks.open_examples`)."""
    mean, deviation, *_ = units(spec, manifest)
    if spec["recipe"]["kind"] == "gradient":
        sight = Sight.of(cast("ShardSpec", spec), prepared, manifest)
    else:
        sight = whole_sight(manifest["geometry"], spec["seed"])

    def of(split: ShardedSplit, rows: np.ndarray, scores: np.ndarray) -> ScoredPictures:
        targets = torch.from_numpy(((scores - mean) / deviation).astype(np.float32))
        return ScoredPictures(split, rows, sight, targets)

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
