"""What can be set of Figure 2."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class LearnedFilters(Strict):
    """The options of Figure 2."""

    layer: int = Field(
        default=0,
        ge=0,
        description="The filters are those of the structured layer of this number, counted from 0.",
    )
    filters: int = Field(
        default=24, ge=1, description="So many filters are drawn, those of the largest norm first."
    )
