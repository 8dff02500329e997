"""What can be set of Figure 14."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class TranslatedArrays(Strict):
    """Of Figure 14."""

    images: int = Field(default=5000, ge=2, description="Training images that are searched.")
    split: Literal["train", "test"] = Field(default="train", description="Where they are from.")
    queries: int = Field(default=2, ge=1, description="Images that are translated.")
    shifts: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], min_length=1, description="τ.")
    width: int = Field(default=3, ge=1, description="Of the averaging along v_{j-1}; odd.")
    query_class: str | None = Field(
        default=None, description="Class of the queries, as in the data set; null: any."
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")
