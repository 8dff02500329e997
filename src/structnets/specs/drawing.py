"""Drawing files: figures that are drawn by code alone, from no data and no training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from structnets.specs.figure_options import find_figure
from structnets.specs.validation import TargetFile


class Drawing(TargetFile):
    """One target that is drawn by code."""

    kind: Literal["drawing"] = Field(description="A figure that is drawn by code alone.")
    chapter: int | None = Field(
        default=None, ge=1, le=6, description="Thesis chapter; null for one's own."
    )
    title: str = Field(description="One line.")
    caption: str = Field(description="What is shown.")
    drawing: str = Field(
        description="A kind of figure of structnets.figures.entries, of an installed package's "
        "entry points, or package.module:object."
    )

    @model_validator(mode="after")
    def _known(self) -> Drawing:
        find_figure(self.drawing, "drawing", drawn=True)
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """Endings of what is drawn."""
        return find_figure(self.drawing, self.target, drawn=True).files
