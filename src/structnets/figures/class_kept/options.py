"""What can be set of the figure of kept classes."""

from __future__ import annotations

from pydantic import Field

from structnets.figures.translation_by_depth.options import TranslationByDepth


class ClassKept(TranslationByDepth):
    """The options of the figure of class probabilities that section 5.5.3 describes in words."""

    queries: int = Field(default=1000, ge=1, description="So many images are translated.")
    covariance_images: int = Field(
        default=64,
        ge=2,
        description="The deviation from covariance is measured on so many test images.",
    )
