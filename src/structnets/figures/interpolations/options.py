"""What can be set of Figure 20."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict


class Interpolations(Strict):
    """The options of Figure 20."""

    sources: list[Literal["faces", "textures", "photographs"]] = Field(
        default=["faces", "textures", "photographs"],
        min_length=1,
        description="Pairs of images of these kinds are taken.",
    )
    built_in: bool = Field(
        default=False,
        description="If true, faces and textures are those of scikit-image, not those of the "
        "data root.",
    )
    pairs: int = Field(default=2, ge=1, description="So many pairs of each kind are shown.")
    steps: int = Field(
        default=8, ge=2, description="A sequence has so many images, both ends included."
    )
    even_in_image: bool = Field(
        default=True,
        description="If true, t is chosen so that neighbours are equally far apart as images.",
    )
    keep_norm: bool = Field(
        default=False, description="If true, the norm of the features is made linear in t, too."
    )
