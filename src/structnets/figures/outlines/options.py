"""What can be set of the outlines."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class Outlines(Strict):
    """The options of the outlines."""

    images: int = Field(
        default=2, ge=1, description="So many test images are shown above the photograph."
    )
