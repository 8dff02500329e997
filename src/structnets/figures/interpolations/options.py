"""What can be set of Figure 20."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class Interpolations(Strict):
    """Of Figure 20."""

    sources: list[Literal["faces", "textures", "photographs"]] = Field(
        default=["faces", "textures", "photographs"], min_length=1, description="Kinds of pairs."
    )
    built_in: bool = Field(
        default=False, description="Take scikit-image's faces and textures, not the data root's."
    )
    pairs: int = Field(default=2, ge=1, description="Of each kind.")
    steps: int = Field(default=8, ge=2, description="Images in a sequence, both ends included.")
    even_in_image: bool = Field(
        default=True, description="Choose t so that neighbours lie equally far apart as images."
    )
    keep_norm: bool = Field(default=False, description="Let the features' norm, too, go linearly.")
