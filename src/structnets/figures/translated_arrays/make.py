"""Figure 14: images that translated arrays of the last layer find (thesis section 5.5.3)."""

from __future__ import annotations

from structnets.analysis.attribute_translation import class_kept, translated_neighbours
from structnets.figures.context import Context, Measured
from structnets.figures.searched_images import (
    SearchedImages,
    arrays_of,
    found_row,
    hierarchical,
    queries_of,
)
from structnets.figures.translated_arrays.options import TranslatedArrays
from structnets.figures.translated_images import draw_translated_images


def translated_arrays(context: Context, options: TranslatedArrays) -> list[Measured]:
    """Draw queries, the images their translated last arrays find, and the arrays (Figure 14)."""
    run, model = hierarchical(context)
    depth = len(model.layers)
    images = SearchedImages.of(run, options)
    arrays = arrays_of(context, model, images, [depth], options.batch_size)[depth]
    queries = queries_of(images, options)
    found = translated_neighbours(arrays, queries, options.shifts, options.width)
    rows = [
        (images.class_of(query), found_row(images, found, number, arrays))
        for number, query in enumerate(queries)
    ]
    draw_translated_images(
        rows,
        context.stem,
        title=context.title,
        note=f"{context.note} · {images.note()}",
        arrays=True,
    )
    kept = class_kept(found, images.labels)
    return [
        Measured(f"j{depth}.tau{shift}.kept", float(share), len(queries))
        for shift, share in zip(options.shifts, kept, strict=True)
    ]
