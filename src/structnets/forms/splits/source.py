"""Images of a set that has a training and a test split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.data.batches.array_examples import Images, Reading, hold_out
from structnets.data.batches.subset import train_indices
from structnets.forms.splits.stored import load_split
from structnets.specs.resolved import ResolvedSpec


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Images]:
    """Open the images a spec uses (`structnets.forms.tasks.open_examples`)."""
    reading = Reading.of(spec, prepared, manifest)
    images, labels = load_split(prepared, "train")
    chosen = train_indices(len(labels), spec["data"]["train_size"], spec["seed"])
    test_images, test_labels = load_split(prepared, "test")
    every = train_indices(len(test_labels), None, 0)
    return {
        **hold_out(Images(images, labels, chosen, reading), spec),
        "test": Images(test_images, test_labels, every, reading),
    }
