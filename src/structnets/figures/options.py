"""What can be set of each analysis, checked before any weight is read (pydantic alone).

An analysis file gives these options, per preset; `structnets analyse` takes the defaults.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from structnets.specs.validation import Strict

_DatabaseSize = Field(default=5000, ge=2, description="Training images that are searched.")
_Width = Field(default=3, ge=1, description="Of the averaging along v_{j-1}; odd.")


class LearnedFilters(Strict):
    """Of Figure 2."""

    layer: int = Field(default=0, ge=0, description="Which structured layer, from 0.")
    filters: int = Field(default=24, ge=1, description="How many are drawn, the largest first.")


class AtomWeights(Strict):
    """Of Figure 5."""


class BlobPictures(Strict):
    """Of Figure 10."""

    images: int = Field(default=1, ge=1, description="Test images of each data set.")


class Detections(Strict):
    """Of Figure 11."""

    images: int = Field(default=4, ge=1, description="Test images, from the best to the worst.")


class TranslatedArrays(Strict):
    """Of Figure 14."""

    images: int = _DatabaseSize
    split: Literal["train", "test"] = Field(default="train", description="Where they are from.")
    queries: int = Field(default=2, ge=1, description="Images that are translated.")
    shifts: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], min_length=1, description="τ.")
    width: int = _Width
    query_class: str | None = Field(
        default=None, description="Class of the queries, as in the data set; null: any."
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")


class TranslationByDepth(TranslatedArrays):
    """Of Figure 15."""

    queries: int = Field(default=1, ge=1, description="Images that are translated.")
    depths: list[int] | None = Field(default=None, description="j; null: from 3 to J - 1.")


class ClassKept(TranslationByDepth):
    """Of the figure of class probabilities that section 5.5.3 describes in words."""

    queries: int = Field(default=1000, ge=1, description="Images that are translated.")
    covariance_images: int = Field(
        default=64, ge=2, description="Images on which the deviation from covariance is measured."
    )


class TrainingLoss(Strict):
    """Of Figure 18."""


class SingularValues(Strict):
    """Of Figure 19."""

    images: int = Field(default=1, ge=1, description="Test images, one spectrum each.")
    leading: int | None = Field(
        default=None, ge=1, description="Only so many values, matrix-free; null: all, exactly."
    )
    shares: list[int] = Field(
        default=[10, 100, 1000], description="Counts of values whose energy is reported."
    )
    batch_size: int = Field(default=64, ge=1, description="Rows per pass.")


class InversionErrors(Strict):
    """Of section 6.4.2."""

    noise: int = Field(default=10_000, ge=1, description="Images of uniform noise.")
    images: int = Field(default=10_000, ge=1, description="Test images, at most all.")
    precisions: list[Literal["float32", "float64", "bfloat16"]] = Field(
        default=["float32", "float64"], min_length=1, description="In which the net is inverted."
    )
    float64_images: int | None = Field(
        default=1000,
        ge=1,
        description="In float64, which takes five times as long, the first so many of each; "
        "null: all.",
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")


class Stability(Strict):
    """Whether a net can be inverted in a precision."""

    images: int = Field(default=8, ge=1, description="Test images.")
    precisions: list[Literal["float32", "bfloat16"]] = Field(
        default=["float32", "bfloat16"], min_length=1, description="In which the net is inverted."
    )
    tolerance: float = Field(
        default=1e-2, gt=0, description="Relative error above which a warning is given."
    )
    iterations: int = Field(default=10, ge=1, description="Of the power method, for every block.")


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


class Contraction(Strict):
    """Of Figures 21 and 22."""

    train: int = Field(default=5000, ge=6, description="Training images at most.")
    test: int = Field(default=2000, ge=1, description="Test images at most.")
    subset: int = Field(default=1000, ge=6, description="On which the penalty is cross-validated.")
    blocks: dict[str, str] = Field(
        default={}, description="Names of a net's blocks by the model's key, * for one part."
    )
    batch_size: int = Field(default=100, ge=1, description="Images per evaluation.")


class SeparabilityByDepth(Contraction):
    """Of Figure 21."""


class SeparabilityByComponents(Contraction):
    """Of Figure 22."""

    counts: list[int] = Field(
        default=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
        min_length=1,
        description="Principal components; those beyond a net's features are left out.",
    )


class TrainingMemory(Strict):
    """Of the figure of memory against depth."""

    blocks: list[int] = Field(default=[9, 18, 36], min_length=2, description="Blocks per stage.")
    batch_size: int = Field(default=32, ge=1, description="Images in the measured step.")
    steps: int = Field(default=3, ge=1, description="Steps whose least time is taken.")
    options: dict[str, list[int] | int | str] = Field(
        default={}, description="Of the i-RevNet, blocks apart."
    )
