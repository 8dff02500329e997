"""What the files of targets share, whatever their kind."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.interpretation import Interpretation
from structnets.specs.validation import Strict


class TargetFile(Strict):
    """What stands in a file called as the target it describes."""

    target: str = Field(
        pattern=r"^[a-z0-9_]+$",
        description="The target is asked for by this name, which is also that of its file "
        "without the ending.",
    )
    interpretations: list[Interpretation] = Field(
        default=[],
        description="The target rests on these readings of the thesis, and they are shown below "
        "it.",
    )
