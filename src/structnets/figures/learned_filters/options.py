"""What can be set of Figure 2."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class LearnedFilters(Strict):
    """Of Figure 2."""

    layer: int = Field(default=0, ge=0, description="Which structured layer, from 0.")
    filters: int = Field(default=24, ge=1, description="How many are drawn, the largest first.")
