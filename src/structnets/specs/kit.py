"""What a kit is packed of: cells of targets, the most wanted first."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.resolved import Preset
from structnets.specs.validation import Strict


class WantedCells(Strict):
    """Cells of one target are wanted."""

    target: str = Field(description="The cells belong to this table or figure.")
    preset: Preset = Field(description="Their runs are those of this preset.")
    rows: list[str] | None = Field(
        default=None, description="These rows are wanted; null: those of the preset's floor are."
    )
    columns: list[str] | None = Field(
        default=None,
        description="These columns are wanted; null: those of the preset's floor are.",
    )
    seeds: int | None = Field(
        default=None,
        ge=1,
        description="This many seeds of each cell are wanted; null: as many as the floor has.",
    )


class KitList(Strict):
    """One list says which runs a kit has."""

    wanted: list[WantedCells] = Field(
        min_length=1, description="The list has the most wanted cells first."
    )
