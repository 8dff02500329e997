"""What can be set of the figure of times."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.resolved import Option
from structnets.specs.validation import Strict


class Beside(Strict):
    """A net and the one whose steps its own are measured by."""

    key: str = Field(pattern=r"^[a-z0-9_]+$", description="The pair has this short name.")
    label: str = Field(description="The pair is called this on the figure.")
    model: str = Field(description="The net has this name.")
    options: dict[str, Option] = Field(
        default={}, description="The net is made with these options."
    )
    plain: str = Field(description="The net it stands beside has this name.")
    plain_options: dict[str, Option] = Field(
        default={}, description="The net it stands beside is made with these options."
    )


class StepTimes(Strict):
    """The options of the figure of times."""

    pairs: list[Beside] = Field(
        default=[], description="These nets are timed, each beside another."
    )
    side: int = Field(default=32, ge=8, description="Images have so many pixels a side.")
    batch_size: int = Field(default=32, ge=1, description="A step has so many images.")
    rounds: int = Field(
        default=5, ge=1, description="The median of so many rounds is taken, nets by turns."
    )
