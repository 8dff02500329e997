"""What can be set of the figure of kept classes."""

from __future__ import annotations

from pydantic import Field

from structnets.figures.translation_by_depth.options import TranslationByDepth


class ClassKept(TranslationByDepth):
    """Of the figure of class probabilities that section 5.5.3 describes in words."""

    queries: int = Field(default=1000, ge=1, description="Images that are translated.")
    covariance_images: int = Field(
        default=64, ge=2, description="Images on which the deviation from covariance is measured."
    )
