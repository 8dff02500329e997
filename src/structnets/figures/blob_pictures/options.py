"""What can be set of Figure 10."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class BlobPictures(Strict):
    """The options of Figure 10."""

    images: int = Field(
        default=1, ge=1, description="So many test images of each data set are shown."
    )
