"""What can be set of Figure 14."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class TranslatedArrays(Strict):
    """The options of Figure 14."""

    images: int = Field(default=5000, ge=2, description="So many images are searched.")
    split: Literal["train", "test"] = Field(
        default="train", description="The images that are searched are from this split."
    )
    queries: int = Field(default=2, ge=1, description="So many images are translated.")
    shifts: list[int] = Field(
        default=[1, 2, 3, 4, 5, 6, 7],
        min_length=1,
        description="Arrays are translated by each of these steps, the thesis' τ.",
    )
    width: int = Field(
        default=3,
        ge=1,
        description="Arrays are averaged over so many neighbours along v_{j-1}, an odd number.",
    )
    query_class: str | None = Field(
        default=None,
        description="The queries are of this class, named as in the data set; null: they are of "
        "any.",
    )
    batch_size: int = Field(default=100, ge=1, description="So many images are evaluated at once.")
