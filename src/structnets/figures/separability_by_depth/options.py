"""What can be set of Figure 21."""

from __future__ import annotations

from pydantic import Field

from structnets.specs.validation import Strict


class SeparabilityByDepth(Strict):
    """Of Figure 21."""

    train: int = Field(default=5000, ge=6, description="Training images at most.")
    test: int = Field(default=2000, ge=1, description="Test images at most.")
    subset: int = Field(default=1000, ge=6, description="On which the penalty is cross-validated.")
    blocks: dict[str, str] = Field(
        default={}, description="Names of a net's blocks by the model's key, * for one part."
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")
