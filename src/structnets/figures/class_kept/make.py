"""Figures 14 and 15: what translations along attributes do (thesis section 5.5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from structnets.analysis.attribute_covariance import covariance_deviations
from structnets.analysis.attribute_translation import (
    FIRST_DEPTH,
    Neighbours,
    class_kept_by_chance,
    invariant_arrays,
    translated_neighbours,
)
from structnets.analysis.attribute_translation import class_kept as share_kept
from structnets.figures.class_kept.draw import draw_class_kept
from structnets.figures.context import Context, Measured, Trained
from structnets.figures.options import ClassKept, TranslatedArrays, TranslationByDepth
from structnets.figures.translated_images import Found, draw_translated_images
from structnets.models.hcnn import HCNN

_PART = 5000  # images whose arrays an interrupted analysis keeps together
Arrays = dict[int, np.ndarray]


@dataclass(frozen=True)
class _Database:
    """Images that are searched; a place is the number of one of them."""

    run: Trained
    split: str
    positions: np.ndarray

    @classmethod
    def of(cls, run: Trained, options: TranslatedArrays) -> _Database:
        return cls(run, options.split, run.choose(options.split, options.images))

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def labels(self) -> np.ndarray:
        return self.run.labels(self.split, self.positions)

    def class_of(self, place: int) -> str:
        return self.run.manifest["classes"][int(self.labels[place])]

    def picture(self, place: int) -> np.ndarray:
        return self.run.picture(self.split, int(self.positions[place]))

    def note(self) -> str:
        return f"nearest of {len(self)} {'training' if self.split == 'train' else 'test'} images"


def translated_arrays(context: Context, options: TranslatedArrays) -> list[Measured]:
    """Draw queries, the images their translated last arrays find, and the arrays (Figure 14)."""
    run, model = _network(context)
    depth = len(model.layers)
    images = _Database.of(run, options)
    arrays = _arrays(context, model, images, [depth], options.batch_size)[depth]
    queries = _queries(images, options)
    found = translated_neighbours(arrays, queries, options.shifts, options.width)
    rows = [
        (images.class_of(query), _row(images, found, number, arrays))
        for number, query in enumerate(queries)
    ]
    draw_translated_images(
        rows,
        context.stem,
        title=context.title,
        note=f"{context.note} · {images.note()}",
        arrays=True,
    )
    kept = share_kept(found, images.labels)
    return [
        Measured(f"j{depth}.tau{shift}.kept", float(share), len(queries))
        for shift, share in zip(options.shifts, kept, strict=True)
    ]


def translation_by_depth(context: Context, options: TranslationByDepth) -> list[Measured]:
    """Draw what the translated arrays of a query find at every depth (Figure 15)."""
    run, model = _network(context)
    depths = options.depths or list(range(FIRST_DEPTH, len(model.layers) + 1))
    images = _Database.of(run, options)
    arrays = _arrays(context, model, images, depths, options.batch_size)
    queries = _queries(images, options)
    found = {
        depth: translated_neighbours(arrays[depth], queries, options.shifts, options.width)
        for depth in depths
    }
    rows = [
        (f"j = {depth}", _row(images, found[depth], number))
        for number in range(len(queries))
        for depth in depths
    ]
    draw_translated_images(
        rows,
        context.stem,
        title=context.title,
        note=f"{context.note} · {images.note()}",
    )
    return [
        Measured(f"j{depth}.kept", float(share_kept(found[depth], images.labels).mean()),
                 len(queries) * len(options.shifts))
        for depth in depths
    ]  # fmt: skip


def class_kept(context: Context, options: ClassKept) -> list[Measured]:
    """Draw how often the translated neighbour keeps the class, by depth and translation.

    The deviation from covariance is measured besides: the relative change of the next layer and
    of the scores, and the share of predictions that stay.
    """
    run, model = _network(context)
    depths = options.depths or list(range(FIRST_DEPTH, len(model.layers) + 1))
    images = _Database.of(run, options)
    arrays = _arrays(context, model, images, depths, options.batch_size)
    queries, labels = _queries(images, options), images.labels
    chance = class_kept_by_chance(labels, queries)
    kept, measured = {}, [Measured("chance", chance, len(queries))]
    for depth in depths:
        found = translated_neighbours(arrays[depth], queries, options.shifts, options.width)
        kept[depth] = share_kept(found, labels).tolist()
        measured += [
            Measured(f"j{depth}.tau{shift}.kept", share, len(queries))
            for shift, share in zip(options.shifts, kept[depth], strict=True)
        ]
    draw_class_kept(
        kept,
        options.shifts,
        context.stem,
        queries=len(queries),
        chance=chance,
        title=context.title,
        note=f"{context.note} · {images.note()}",
    )
    return measured + _deviations(run, model, depths, options)


def _deviations(
    run: Trained, model: HCNN, depths: Sequence[int], options: ClassKept
) -> list[Measured]:
    """Measure how far the net is from covariance (Proposition 5.3.1, with strides)."""
    chosen = run.choose("test", options.covariance_images)
    images = next(run.batches("test", chosen, len(chosen)))[0]
    inner = [depth for depth in depths if depth < len(model.layers)]
    measured = []
    for deviation in covariance_deviations(model, images, inner, options.shifts):
        axis = deviation.attribute.replace("{", "").replace("}", "")
        place = f"j{deviation.depth}.{axis}.tau{deviation.shift}"
        found = (
            ("next_layer", deviation.next_layer),
            ("scores", deviation.scores),
            ("predictions_kept", deviation.predictions_kept),
        )
        measured += [Measured(f"{place}.{name}", value, len(images)) for name, value in found]
    return measured


def _network(context: Context) -> tuple[Trained, HCNN]:
    run = context.runs[0]
    if not isinstance(run.model, HCNN):
        raise ValueError(
            f"{run.run_id} is no hierarchical attribute CNN: only these have attribute arrays"
        )
    return run, run.model


def _arrays(
    context: Context,
    model: HCNN,
    images: _Database,
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


def _queries(images: _Database, options: TranslatedArrays) -> list[int]:
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


def _row(
    images: _Database,
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
