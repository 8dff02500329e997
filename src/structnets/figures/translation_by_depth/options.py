"""What can be set of Figure 15."""

from __future__ import annotations

from pydantic import Field

from structnets.figures.translated_arrays.options import TranslatedArrays


class TranslationByDepth(TranslatedArrays):
    """The options of Figure 15."""

    queries: int = Field(default=1, ge=1, description="So many images are translated.")
    depths: list[int] | None = Field(
        default=None,
        description="The arrays of these layers j are searched; null: those from 3 to J - 1 are.",
    )
