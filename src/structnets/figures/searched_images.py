"""Images of a trained hierarchical CNN that are searched for translated arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from structnets.analysis.attribute_translation import Neighbours, invariant_arrays
from structnets.analysis.trained import Trained
from structnets.figures.context import Context
from structnets.figures.translated_arrays.options import TranslatedArrays
from structnets.figures.translated_images import Found
from structnets.models.hcnn import HCNN

_PART = 5000  # images whose arrays an interrupted analysis keeps together
Arrays = dict[int, np.ndarray]


@dataclass(frozen=True)
class SearchedImages:
    """Images that are searched; a place is the number of one of them."""

    run: Trained
    split: str
    positions: np.ndarray

    @classmethod
    def of(cls, run: Trained, options: TranslatedArrays) -> SearchedImages:
        """Choose images of a run's split."""
        return cls(run, options.split, run.choose(options.split, options.images))

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def labels(self) -> np.ndarray:
        """Their classes, shape (N,)."""
        return self.run.labels(self.split, self.positions)

    def class_of(self, place: int) -> str:
        """Return the name of an image's class."""
        return self.run.manifest["classes"][int(self.labels[place])]

    def picture(self, place: int) -> np.ndarray:
        """Return an image as it is shown."""
        return self.run.picture(self.split, int(self.positions[place]))

    def note(self) -> str:
        """Say in a few words what was searched."""
        return f"nearest of {len(self)} {'training' if self.split == 'train' else 'test'} images"


def hierarchical(context: Context) -> tuple[Trained, HCNN]:
    """Return the run and its hierarchical CNN.

    Raises
    ------
    ValueError
        If it is no such net.
    """
    run = context.runs[0]
    if not isinstance(run.model, HCNN):
        raise ValueError(
            f"{run.run_id} is no hierarchical attribute CNN: only these have attribute arrays"
        )
    return run, run.model


def arrays_of(
    context: Context,
    model: HCNN,
    images: SearchedImages,
    depths: Sequence[int],
    batch_size: int,
) -> Arrays:
    """Compute invariant arrays part by part; an interrupted analysis keeps whole parts."""
    parts = []
    for start in range(0, len(images), _PART):
        part = images.positions[start : start + _PART]

        def compute(part: np.ndarray = part) -> dict[str, np.ndarray]:
            batches = (batch for batch, _ in images.run.batches(images.split, part, batch_size))
            found = invariant_arrays(model, batches, depths, len(part))
            return {str(depth): array for depth, array in found.items()}

        parts.append(context.arrays_once(f"arrays-{start}", compute))
    return {depth: np.concatenate([part[str(depth)] for part in parts]) for depth in depths}


def queries_of(images: SearchedImages, options: TranslatedArrays) -> list[int]:
    """Return the places of the first images of the wanted class."""
    names = images.run.manifest["classes"]
    if options.query_class is None:
        return list(range(min(options.queries, len(images))))
    if options.query_class not in names:
        raise ValueError(
            f"query_class must be one of {', '.join(names)}; got {options.query_class!r}"
        )
    of_class = np.flatnonzero(images.labels == names.index(options.query_class))
    if not len(of_class):
        raise ValueError(f"none of the {len(images)} images is of class {options.query_class!r}")
    return of_class[: options.queries].tolist()


def found_row(
    images: SearchedImages,
    found: Neighbours,
    number: int,
    arrays: np.ndarray | None = None,
) -> list[Found]:
    """Return a query and what its translations found."""
    asked = [(0, int(found.queries[number]), 0.0)]
    places = zip(found.shifts, found.nearest[number], found.distances[number], strict=True)
    asked += [(int(shift), int(place), float(far)) for shift, place, far in places]
    return [
        Found(
            shift,
            int(images.positions[place]),
            images.picture(place),
            images.class_of(place),
            far,
            None if arrays is None else arrays[place],
        )
        for shift, place, far in asked
    ]
