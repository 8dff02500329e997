"""Textured blobs: training images drawn anew at every step, a fixed test set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.examples import Step
from structnets.data.batches.seeding import stream_seed
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.data.sets.textured_blobs import TexturedBlobs
from structnets.forms.blobs.stored import draw_blobs, load_train_textures
from structnets.forms.boundaries.images import BoundaryImages
from structnets.forms.boundaries.stored import load_boundary_split
from structnets.specs.resolved import DetectionSpec


@dataclass(frozen=True)
class BlobStream:
    """The infinite training set; an epoch is a number of samples none of which was seen before.

    Parameters
    ----------
    blobs : TexturedBlobs
        The samples.
    epoch : int
        Samples of an epoch.
    batch_size : int
        Of the global batch: step s reads samples s * batch_size onwards.
    """

    blobs: TexturedBlobs
    epoch: int
    batch_size: int

    def __len__(self) -> int:
        """Return the number of samples of an epoch."""
        return self.epoch

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Draw the samples of some indices: images and boundaries, (B, 1, S, S) float32."""
        samples = [self.blobs[int(position)] for position in positions]
        images = np.stack([sample.image for sample in samples])
        boundaries = np.stack([sample.boundary for sample in samples])
        return torch.from_numpy(images).to(device), torch.from_numpy(boundaries).to(device)

    def stream(
        self, steps: Iterable[Step], device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw a worker's parts of consecutive steps, whatever positions they name."""
        for step in steps:
            first = step.number * self.batch_size
            yield self.batch(first + np.arange(len(step.batch))[step.part], device)


def open_examples(
    spec: DetectionSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, BlobStream | BoundaryImages]:
    """Open what a spec uses (`structnets.forms.tasks.open_examples`).

    Validation samples, a part of `train_size`, are of the training textures, in a stream of
    their own.
    """
    seed, recipe = spec["seed"], spec["recipe"]
    textures, side = load_train_textures(prepared), manifest["image_shape"][-1]

    def blobs(purpose: str) -> TexturedBlobs:
        return TexturedBlobs(manifest["difficulty"], side, stream_seed(seed, purpose), textures)

    epoch = spec["data"]["train_size"] or find_dataset(spec["data"]["name"]).train_count
    parts: dict[str, BlobStream | BoundaryImages] = {
        "train": BlobStream(blobs("blobs"), epoch, recipe["batch_size"]),
        "test": BoundaryImages.of(load_boundary_split(prepared, "test")),
    }
    if fraction := recipe["evaluation"]["validation_fraction"]:
        held = draw_blobs(blobs("validation blobs"), max(1, round(fraction * epoch)))
        parts["validation"] = BoundaryImages.of(held)
    return parts
