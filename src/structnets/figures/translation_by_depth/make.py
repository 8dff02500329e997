"""Figure 15: images that translated arrays find, at every depth (thesis section 5.5.3)."""

from __future__ import annotations

from structnets.analysis.attribute_translation import (
    FIRST_DEPTH,
    class_kept,
    translated_neighbours,
)
from structnets.figures.context import Context, Measured
from structnets.figures.searched_images import (
    SearchedImages,
    arrays_of,
    found_row,
    hierarchical,
    queries_of,
)
from structnets.figures.translated_images import draw_translated_images
from structnets.figures.translation_by_depth.options import TranslationByDepth


def translation_by_depth(context: Context, options: TranslationByDepth) -> list[Measured]:
    """Draw what the translated arrays of a query find at every depth (Figure 15)."""
    run, model = hierarchical(context)
    depths = options.depths or list(range(FIRST_DEPTH, len(model.layers) + 1))
    images = SearchedImages.of(run, options)
    arrays = arrays_of(context, model, images, depths, options.batch_size)
    queries = queries_of(images, options)
    found = {
        depth: translated_neighbours(arrays[depth], queries, options.shifts, options.width)
        for depth in depths
    }
    rows = [
        (f"j = {depth}", found_row(images, found[depth], number))
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
        Measured(f"j{depth}.kept", float(class_kept(found[depth], images.labels).mean()),
                 len(queries) * len(options.shifts))
        for depth in depths
    ]  # fmt: skip
