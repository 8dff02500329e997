"""What can be set of the figure of stability."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class Stability(Strict):
    """Whether a net can be inverted in a precision."""

    images: int = Field(default=8, ge=1, description="Test images.")
    precisions: list[Literal["float32", "bfloat16"]] = Field(
        default=["float32", "bfloat16"], min_length=1, description="In which the net is inverted."
    )
    tolerance: float = Field(
        default=1e-2, gt=0, description="Relative error above which a warning is given."
    )
    iterations: int = Field(default=10, ge=1, description="Of the power method, for every block.")
