"""Pictures with labels, as a spec reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from structnets.data.prepared.shard_answers import LABEL_SETS
from structnets.forms.picture_labels.subset import parts
from structnets.forms.shards.answered import AnsweredImages
from structnets.forms.shards.source import Sight
from structnets.forms.shards.stored import load_answers
from structnets.specs.resolved import ResolvedSpec, ShardSpec


def open_examples(
    spec: ShardSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, AnsweredImages]:
    """Open the pictures a spec uses (`structnets.forms.tasks.open_examples`).

    Their targets are (labels,) float32, 1 where a picture has a label.
    """
    sight = Sight.of(spec, prepared, manifest)
    train, sets = load_answers(prepared, "train", LABEL_SETS)
    test, test_sets = load_answers(prepared, "test", LABEL_SETS)
    kept, held = parts(cast("ResolvedSpec", spec), sets, manifest["classes"])
    targets = torch.from_numpy(sets.astype(np.float32))
    test_targets = torch.from_numpy(test_sets.astype(np.float32))
    examples = {
        "train": AnsweredImages(train, kept, sight, targets),
        "test": AnsweredImages(test, np.arange(len(test)), sight, test_targets),
    }
    if len(held):
        examples["validation"] = AnsweredImages(train, held, sight, targets)
    return examples
