"""What can be set of Figure 19."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class SingularValues(Strict):
    """The options of Figure 19."""

    images: int = Field(
        default=1,
        ge=1,
        description="So many test images are taken; each has a spectrum of its own.",
    )
    leading: int | None = Field(
        default=None,
        ge=1,
        description="Only so many values, the largest, are computed, without the whole matrix; "
        "null: all are, exactly.",
    )
    shares: list[int] = Field(
        default=[10, 100, 1000],
        description="The share of the energy in so many leading values is reported, for each of "
        "these numbers.",
    )
    batch_size: int = Field(
        default=64, ge=1, description="So many rows of the Jacobian are computed in one pass."
    )
