"""Drawing files: figures that are drawn by code alone, from no data and no training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from structnets.specs.figure_options import find_figure
from structnets.specs.target_file import TargetFile


class Drawing(TargetFile):
    """One target that is drawn by code."""

    kind: Literal["drawing"] = Field(
        description="A drawing is a figure that is drawn by code alone."
    )
    chapter: int | None = Field(
        default=None,
        ge=1,
        le=6,
        description="The file belongs to this chapter of the thesis; null: it is one's own.",
    )
    title: str = Field(description="The title is one line of words and is shown above the figure.")
    caption: str = Field(description="The caption says what is shown.")
    drawing: str = Field(
        description="This is the name of a kind of figure: one of structnets.figures.entries, "
        "one of the entry points of an installed package, or package.module:object."
    )

    @model_validator(mode="after")
    def _known(self) -> Drawing:
        find_figure(self.drawing, "drawing", drawn=True)
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """Endings of what is drawn."""
        return find_figure(self.drawing, self.target, drawn=True).files
