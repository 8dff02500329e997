"""Images in shards: cropped in threads ahead of the training, their middle in evaluation.

Crops are functions of seed and step, drawn for the global batch, so that neither the number of
threads nor that of workers decides anything. A GPU gets bytes, from page-locked memory, and
turns them into numbers itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.crops import (
    CenterCrop,
    CenterPart,
    Crop,
    RandomCrop,
    RandomResizedCrop,
)
from structnets.data.batches.examples import Step
from structnets.data.batches.image_pipeline import ImagePipeline
from structnets.data.batches.mean_image import MeanImage
from structnets.data.batches.subset import train_indices, validation_split
from structnets.data.prepared.shards import MEAN_IMAGE, ShardedSplit
from structnets.processors import available_processors
from structnets.specs.resolved import ShardSpec

_MOST_THREADS = 16


@dataclass(frozen=True)
class Sight:
    """How images of one spec are seen.

    Attributes
    ----------
    crop, middle : Crop
        In training steps, and in evaluation.
    standardization : Standardization
        From bytes to numbers, unless there is a mean.
    mean : MeanImage or None
        Subtracted instead.
    seed : int
        Decides the crops, with the step.
    """

    crop: Crop
    middle: Crop
    standardization: Standardization
    mean: MeanImage | None
    seed: int

    @classmethod
    def of(cls, spec: ShardSpec, prepared: Path, manifest: dict[str, Any]) -> Sight:
        """Return how a spec sees images.

        Raises
        ------
        ValueError
            If it subtracts a mean image that the prepared data do not have.
        """
        recipe = spec["recipe"]
        kind, size, flip = cast(
            "tuple[str, int, bool]", (recipe["crop"][key] for key in ("kind", "size", "flip"))
        )
        crop, middle = (
            (RandomCrop(size, flip), CenterCrop(size))
            if kind == "random"
            else (RandomResizedCrop(size, flip=flip), CenterPart(size))
        )
        statistics = {"mean": [0.0] * 3, "std": [1.0] * 3}
        if recipe["standardize"]:
            statistics = manifest["statistics"]
        mean = None
        if recipe["mean_image"]:
            if MEAN_IMAGE not in manifest["files"]:
                raise ValueError(
                    f"recipe.mean_image needs images of one size, {prepared} holds "
                    f"{manifest['geometry']}: prepare a squashed geometry, or leave it out"
                )
            mean = MeanImage(np.load(prepared / MEAN_IMAGE, allow_pickle=False))
        scale = Standardization(statistics["mean"], statistics["std"])
        return cls(crop, middle, scale, mean, spec["seed"])


class ShardedImages:
    """Some images of a split.

    Parameters
    ----------
    split : ShardedSplit
        All of them.
    rows : numpy.ndarray, shape (n,), int64
        Those that count.
    sight : Sight
        How they are seen.
    """

    def __init__(self, split: ShardedSplit, rows: np.ndarray, sight: Sight) -> None:
        self.split, self.rows, self.sight = split, rows, sight
        self._pipelines: dict[Crop, ImagePipeline] = {}

    def __len__(self) -> int:
        """Return the number of images that count."""
        return len(self.rows)

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read the middle of images by position among those that count.

        Parameters
        ----------
        positions : ndarray, shape (B,)
            Which.
        device : torch.device
            Where to put them.

        Returns
        -------
        images : Tensor, shape (B, 3, size, size), float32
            In [0, 1], standardised, or less the mean image.
        labels : Tensor, shape (B,), int64
            Class indices.
        """
        whole = Step(0, positions, slice(None))
        return next(self._read([whole], self.sight.middle, device))

    def stream(
        self, steps: Iterable[Step], device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Read a worker's parts of steps, cropped at random, ahead of their use."""
        return self._read(steps, self.sight.crop, device)

    def _read(
        self, steps: Iterable[Step], crop: Crop, device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        sight, pipeline = self.sight, self._pipeline(crop, device)
        steps = [replace(step, batch=self.rows[step.batch]) for step in steps]
        stream = pipeline.stream(steps, sight.seed)
        for step, (images, labels) in zip(steps, stream, strict=True):
            images = images.to(device, non_blocking=True)
            if sight.mean is not None:
                shown = pipeline.windows(step.batch, sight.seed, step.number, step.part)
                images = sight.mean.subtract(images, shown)
            elif images.dtype == torch.uint8:
                images = sight.standardization(images)
            yield images, labels.to(device, non_blocking=True)

    def _pipeline(self, crop: Crop, device: torch.device) -> ImagePipeline:
        """Return the threads that crop for a device, begun when they are first needed."""
        if crop not in self._pipelines:
            remote = device.type != "cpu"
            late = remote or self.sight.mean is not None
            self._pipelines[crop] = ImagePipeline(
                self.split,
                crop,
                threads=_threads() if remote else 1,
                standardization=None if late else self.sight.standardization,
                pinned=device.type == "cuda",
            )
        return self._pipelines[crop]


def open_examples(
    spec: ShardSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, ShardedImages]:
    """Open the images a spec uses (`structnets.forms.tasks.open_examples`)."""
    sight, seed = Sight.of(spec, prepared, manifest), spec["seed"]
    train, test = ShardedSplit(prepared, "train"), ShardedSplit(prepared, "test")
    chosen = train_indices(len(train), spec["data"]["train_size"], seed)
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    kept, held = validation_split(chosen, fraction, seed)
    examples = {
        "train": ShardedImages(train, kept, sight),
        "test": ShardedImages(test, np.arange(len(test)), sight),
    }
    if fraction:
        examples["validation"] = ShardedImages(train, held, sight)
    return examples


def _threads() -> int:
    """Return how many processors this process may use, of those its machine's workers share."""
    workers = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(_MOST_THREADS, available_processors() // workers))
