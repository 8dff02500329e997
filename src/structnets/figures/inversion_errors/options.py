"""What can be set of the figure of inversion errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class InversionErrors(Strict):
    """Of section 6.4.2."""

    noise: int = Field(default=10_000, ge=1, description="Images of uniform noise.")
    images: int = Field(default=10_000, ge=1, description="Test images, at most all.")
    precisions: list[Literal["float32", "float64", "bfloat16"]] = Field(
        default=["float32", "float64"], min_length=1, description="In which the net is inverted."
    )
    float64_images: int | None = Field(
        default=1000,
        ge=1,
        description="In float64, which takes five times as long, the first so many of each; "
        "null: all.",
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")
