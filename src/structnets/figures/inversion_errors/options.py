"""What can be set of the figure of inversion errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class InversionErrors(Strict):
    """The options of the figure of inversion errors (section 6.4.2)."""

    noise: int = Field(
        default=10_000, ge=1, description="So many images of uniform noise are inverted."
    )
    images: int = Field(
        default=10_000, ge=1, description="So many test images are inverted, at most all there are."
    )
    precisions: list[Literal["float32", "float64", "bfloat16"]] = Field(
        default=["float32", "float64"],
        min_length=1,
        description="The net is inverted in each of these precisions.",
    )
    float64_images: int | None = Field(
        default=1000,
        ge=1,
        description="In float64, which takes five times as long, the first so many of each kind "
        "are inverted; null: all are.",
    )
    batch_size: int = Field(default=100, ge=1, description="So many images are evaluated at once.")
