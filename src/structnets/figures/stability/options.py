"""What can be set of the figure of stability."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class Stability(Strict):
    """The options of the figure of stability."""

    images: int = Field(default=8, ge=1, description="So many test images are taken.")
    precisions: list[Literal["float32", "bfloat16"]] = Field(
        default=["float32", "bfloat16"],
        min_length=1,
        description="The net is inverted in each of these precisions.",
    )
    tolerance: float = Field(
        default=1e-2, gt=0, description="A warning is given where the relative error is above it."
    )
    iterations: int = Field(
        default=10, ge=1, description="The power method has so many iterations for every block."
    )
