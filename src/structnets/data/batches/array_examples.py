"""Images of a prepared set, held in arrays, as trainings read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.augmentation import Moves, Standardization, move
from structnets.data.batches.examples import Step
from structnets.data.batches.seeding import draw_step_moves
from structnets.data.batches.subset import validation_split
from structnets.specs.resolved import ResolvedSpec


@dataclass(frozen=True)
class Reading:
    """How images of one spec become tensors.

    Attributes
    ----------
    standardization : Standardization or None
        Applied to every image; without it pixels are scaled to [0, 1].
    augmentation : mapping or None
        Shifts and flips of training images, as the recipe states them.
    seed : int
        Decides the moves, with the step.
    """

    standardization: Standardization | None = None
    augmentation: Mapping[str, Any] | None = None
    seed: int = 0

    @classmethod
    def of(cls, spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]) -> Reading:
        """Return the reading that a spec asks for.

        Raises
        ------
        ValueError
            If the recipe standardises images whose manifest states no statistics.
        """
        recipe = spec["recipe"]
        standardization = None
        if recipe.get("standardize"):
            statistics = manifest.get("statistics")
            if statistics is None:
                raise ValueError(
                    f"recipe.standardize needs mean and std in {prepared / 'manifest.json'}, "
                    f"which {manifest['dataset']} does not have: leave it out"
                )
            space = len(manifest["image_shape"]) - 1
            standardization = Standardization(statistics["mean"], statistics["std"], space)
        return cls(standardization, recipe.get("augmentation"), spec["seed"])


@dataclass(frozen=True)
class Images:
    """Images and labels, and which of them are meant.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W) or (N, C, D, H, W), uint8
        May be memory-mapped.
    labels : ndarray, shape (N,), int64
        Class indices.
    indices : ndarray, shape (n,), int64
        The part that counts.
    reading : Reading
        How they become tensors.
    """

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    reading: Reading = Reading()

    def __len__(self) -> int:
        """Return the number of images that count."""
        return len(self.indices)

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read images by position among those that count, unmoved.

        Parameters
        ----------
        positions : ndarray, shape (B,)
            Which.
        device : torch.device
            Where to put them.

        Returns
        -------
        images : Tensor, shape (B, C, …), float32
            In [0, 1], or standardised.
        labels : Tensor, shape (B,), int64
            Class indices.
        """
        return self._read(positions, device, None)

    def stream(
        self, steps: Iterable[Step], device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Read a worker's parts of consecutive steps; what a shift brings in is black."""
        augmentation, seed = self.reading.augmentation, self.reading.seed
        for step in steps:
            moves = draw_step_moves(augmentation, seed, step.number, len(step.batch))
            yield self._read(step.batch[step.part], device, moves and moves[step.part])

    def _read(
        self, positions: np.ndarray, device: torch.device, moves: Moves | None
    ) -> tuple[Tensor, Tensor]:
        rows = self.indices[positions]
        images = torch.from_numpy(self.images[rows]).to(device, non_blocking=True)
        labels = torch.from_numpy(self.labels[rows]).to(device, non_blocking=True)
        if moves is not None:
            images = move(images, moves)
        if self.reading.standardization is None:
            return images.float().div_(255), labels
        return self.reading.standardization(images), labels


def hold_out(train: Images, spec: ResolvedSpec) -> dict[str, Images]:
    """Split training images into ``train`` and, if the recipe says so, ``validation``."""
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    kept, held = validation_split(train.indices, fraction, spec["seed"])
    parts = {"train": replace(train, indices=kept)}
    return {**parts, "validation": replace(train, indices=held)} if fraction else parts
