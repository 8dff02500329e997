"""What can be set of the figure of memory against depth."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class TrainingMemory(Strict):
    """Of the figure of memory against depth."""

    blocks: list[int] = Field(default=[9, 18, 36], min_length=2, description="Blocks per stage.")
    batch_size: int = Field(default=32, ge=1, description="Images in the measured step.")
    steps: int = Field(default=3, ge=1, description="Steps whose least time is taken.")
    options: dict[str, list[int] | int | str] = Field(
        default={}, description="Of the i-RevNet, blocks apart."
    )
