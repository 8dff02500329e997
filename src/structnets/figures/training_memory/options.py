"""What can be set of the figure of memory against depth."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class TrainingMemory(Strict):
    """The options of the figure of memory against depth."""

    blocks: list[int] = Field(
        default=[9, 18, 36],
        min_length=2,
        description="Nets with so many blocks in each stage are measured, in turn.",
    )
    batch_size: int = Field(default=32, ge=1, description="The measured step has so many images.")
    steps: int = Field(default=3, ge=1, description="The least time of so many steps is taken.")
    options: dict[str, list[int] | int | str] = Field(
        default={}, description="The i-RevNet is made with these options, besides its blocks."
    )
