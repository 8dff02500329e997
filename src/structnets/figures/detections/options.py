"""What can be set of Figure 11."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class Detections(Strict):
    """The options of Figure 11."""

    images: int = Field(
        default=4,
        ge=1,
        description="So many test images are shown, evenly by rank from the best to the worst.",
    )
