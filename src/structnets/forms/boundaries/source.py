"""Photographs with boundaries, BSDS500 above all: random crops of train, whole images of test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from structnets.data.batches.boundary_crops import BoundaryCrops
from structnets.data.batches.seeding import stream_seed
from structnets.data.batches.subset import train_indices, validation_split
from structnets.forms.boundaries.images import BoundaryImages
from structnets.forms.boundaries.stored import load_boundary_split
from structnets.specs.resolved import DetectionSpec


def open_examples(
    spec: DetectionSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, BoundaryImages]:
    """Open the images a spec uses (`structnets.forms.tasks.open_examples`).

    Validation images are a part of the set's own ``val``. The rest of ``val`` is trained on if
    the recipe includes it, as H-Net's released code does; `train_size` counts the images of both.
    """
    settings, seed = spec["recipe"]["boundaries"], spec["seed"]
    splits = tuple(load_boundary_split(prepared, name) for name in ("train", "val"))
    train, val = (
        np.array([(number, row) for row in range(len(split))])
        for number, split in enumerate(splits)
    )
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    rest, held = validation_split(np.arange(len(val)), fraction, seed)
    pool = np.concatenate([train, val[rest]]) if settings["include_val"] else train
    chosen = pool[train_indices(len(pool), spec["data"]["train_size"], seed)]
    crops = BoundaryCrops(
        settings["crop"],
        stream_seed(seed, "crops"),
        settings["flips"],
        cast("tuple[float, float] | None", settings["gamma"]),
    )
    test = BoundaryImages.of(load_boundary_split(prepared, "test"))
    parts = {"train": BoundaryImages(splits, chosen, crops), "test": test}
    return {**parts, "validation": BoundaryImages(splits, val[held])} if fraction else parts
