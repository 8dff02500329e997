"""What can be set of Figure 11."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class Detections(Strict):
    """Of Figure 11."""

    images: int = Field(default=4, ge=1, description="Test images, from the best to the worst.")
