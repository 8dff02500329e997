"""What can be set of Figure 22."""

from __future__ import annotations

from pydantic import Field

from structnets.figures.separability_by_depth.options import SeparabilityByDepth


class SeparabilityByComponents(SeparabilityByDepth):
    """The options of Figure 22."""

    counts: list[int] = Field(
        default=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
        min_length=1,
        description="So many principal components are kept, in turn; counts beyond a net's "
        "features are left out.",
    )
