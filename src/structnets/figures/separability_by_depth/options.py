"""What can be set of Figure 21."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class SeparabilityByDepth(Strict):
    """The options of Figure 21."""

    train: int = Field(default=5000, ge=6, description="At most so many training images are taken.")
    test: int = Field(default=2000, ge=1, description="At most so many test images are taken.")
    classes: int | None = Field(
        default=None,
        ge=2,
        description="Images of so many classes alone are taken, drawn at random and the same for "
        "every net of the data set; null: of all classes.",
    )
    subset: int = Field(
        default=1000, ge=6, description="The penalty is cross-validated on so many training images."
    )
    blocks: dict[str, str] = Field(
        default={},
        description="The blocks of a net have these names, by the model's key, in which * is "
        "one part between dots; a net that is not named has its invertible blocks "
        "taken.",
    )
    batch_size: int = Field(default=100, ge=1, description="So many images are evaluated at once.")
