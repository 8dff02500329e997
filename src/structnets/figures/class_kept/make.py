"""How often a translated neighbour keeps the class (thesis section 5.5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from structnets.analysis.attribute_covariance import covariance_deviations
from structnets.analysis.attribute_translation import (
    FIRST_DEPTH,
    class_kept_by_chance,
    translated_neighbours,
)
from structnets.analysis.attribute_translation import class_kept as share_kept
from structnets.analysis.trained import Trained
from structnets.figures.class_kept.draw import draw_class_kept
from structnets.figures.class_kept.options import ClassKept
from structnets.figures.context import Context, Measured
from structnets.figures.searched_images import (
    SearchedImages,
    arrays_of,
    hierarchical,
    queries_of,
)
from structnets.models.hcnn import HCNN


def class_kept(context: Context, options: ClassKept) -> list[Measured]:
    """Draw how often the translated neighbour keeps the class, by depth and translation.

    The deviation from covariance is measured besides: the relative change of the next layer and
    of the scores, and the share of predictions that stay.
    """
    run, model = hierarchical(context)
    depths = options.depths or list(range(FIRST_DEPTH, len(model.layers) + 1))
    images = SearchedImages.of(run, options)
    arrays = arrays_of(context, model, images, depths, options.batch_size)
    queries, labels = queries_of(images, options), images.labels
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
