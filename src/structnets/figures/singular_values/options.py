"""What can be set of Figure 19."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class SingularValues(Strict):
    """Of Figure 19."""

    images: int = Field(default=1, ge=1, description="Test images, one spectrum each.")
    leading: int | None = Field(
        default=None, ge=1, description="Only so many values, matrix-free; null: all, exactly."
    )
    shares: list[int] = Field(
        default=[10, 100, 1000], description="Counts of values whose energy is reported."
    )
    batch_size: int = Field(default=64, ge=1, description="Rows per pass.")
