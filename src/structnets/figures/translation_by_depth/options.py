"""What can be set of Figure 15."""

from __future__ import annotations

from pydantic import Field

from structnets.figures.translated_arrays.options import TranslatedArrays


class TranslationByDepth(TranslatedArrays):
    """Of Figure 15."""

    queries: int = Field(default=1, ge=1, description="Images that are translated.")
    depths: list[int] | None = Field(default=None, description="j; null: from 3 to J - 1.")
