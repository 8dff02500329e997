"""How a model is trained: optimiser, schedule, augmentation, measurement, as checked models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, model_validator

from structnets.specs.validation import Strict

_Decay = Annotated[float, Field(ge=0, lt=1)]


class Adadelta(Strict):
    """Adadelta (Zeiler 2012), the optimiser of the released MNIST code."""

    name: Literal["adadelta"]
    lr: float = Field(default=1.0, gt=0, description="The update is multiplied by it at epoch 0.")
    rho: float = Field(default=0.95, gt=0, lt=1, description="The running averages decay by it.")
    eps: float = Field(default=1e-6, gt=0, description="It is added inside the roots.")
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        description="The weights are penalised by it times half their squared L2 norm.",
    )


class Sgd(Strict):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"]
    lr: float = Field(gt=0, description="The learning rate has this value at epoch 0.")
    momentum: float = Field(
        default=0.9, ge=0, lt=1, description="The momentum is this part of the former step."
    )
    nesterov: bool = Field(default=False, description="If true, the momentum is Nesterov's.")
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        description="The weights are penalised by it times half their squared L2 norm.",
    )


class Adam(Strict):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"]
    lr: float = Field(
        default=1e-3, gt=0, description="The learning rate has this value at epoch 0."
    )
    betas: tuple[_Decay, _Decay] = Field(
        default=(0.9, 0.999),
        description="The averages of gradients and of their squares decay by these.",
    )
    eps: float = Field(default=1e-8, gt=0, description="It is added to the denominator.")
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        description="The weights are penalised by it times half their squared L2 norm.",
    )


Optimizer = Annotated[Adadelta | Sgd | Adam, Field(discriminator="name")]


class Constant(Strict):
    """The learning rate stays."""

    name: Literal["constant"] = "constant"


class Linear(Strict):
    """The learning rate falls linearly by epoch: lr (E - i) / E at epoch i of E."""

    name: Literal["linear"]


class Step(Strict):
    """The learning rate is multiplied by `gamma` at each milestone."""

    name: Literal["step"]
    milestones: list[NonNegativeInt] = Field(
        description="The rate drops at these epochs, counted from 0."
    )
    gamma: float = Field(
        default=0.1, gt=0, le=1, description="The rate is multiplied by it at each drop."
    )


class Factors(Strict):
    """The learning rate is multiplied by the factor of the last milestone passed."""

    name: Literal["factors"]
    milestones: list[NonNegativeInt] = Field(
        description="The factors hold from these epochs on, ascending and counted from 0."
    )
    factors: list[float] = Field(
        description="Each milestone has one, which multiplies the first rate."
    )

    @model_validator(mode="after")
    def _paired(self) -> Factors:
        if len(self.factors) != len(self.milestones):
            raise ValueError(
                f"{len(self.milestones)} milestones need as many factors, got {len(self.factors)}"
            )
        if self.milestones != sorted(self.milestones):
            raise ValueError(f"milestones must ascend, got {self.milestones}")
        return self


Schedule = Annotated[Constant | Linear | Step | Factors, Field(discriminator="name")]


class Augmentation(Strict):
    """Random moves of every training image, drawn anew at each step."""

    shift: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Images are shifted by at most so many pixels along each axis.",
    )
    flip: bool = Field(
        default=False, description="If true, left and right of half the images are exchanged."
    )


class Crop(Strict):
    """The square of every image in shards that the model sees, drawn anew at each step."""

    kind: Literal["random", "scale_aspect"] = Field(
        description="The square lies anywhere, or has random area and aspect and is "
        "resized. Evaluation takes the "
        "middle as it is, or seven eighths of the short side, resized."
    )
    size: int = Field(ge=1, le=100_000, description="The square has this side in pixels.")
    flip: bool = Field(
        default=True, description="If true, left and right of half the images are exchanged."
    )


class Boundaries(Strict):
    """How boundaries are learned and measured: crops, their moves, and the benchmark's settings."""

    crop: tuple[int, int] | None = Field(
        default=None,
        description="Random crops have this height and width; null: images are taken whole.",
    )
    flips: bool = Field(
        default=False,
        description="If true, left and right, and top and bottom, of half of them are exchanged.",
    )
    gamma: tuple[float, float] | None = Field(
        default=None,
        description="The exponent of intensities is drawn from this range; null: they are "
        "left alone.",
    )
    include_val: bool = Field(
        default=False,
        description="If true, the images of val that are not held out are trained on, too.",
    )
    sparsity: float | None = Field(
        default=None,
        gt=0,
        description="A loss on mean answers apart from the boundaries' rate has this "
        "weight; H-Net's is 1.",
    )
    thresholds: int = Field(
        default=99, ge=1, le=999, description="The benchmark takes so many thresholds."
    )
    max_distance: float = Field(
        default=0.0075,
        gt=0,
        le=0.1,
        description="Corresponding pixels are at most so far apart, in diagonals.",
    )
    nms: Literal["none", "edges", "hed"] = Field(
        default="none",
        description="The probability map is suppressed in this way before it is thinned.",
    )

    @model_validator(mode="after")
    def _range(self) -> Boundaries:
        if self.crop is not None and min(self.crop) < 1:
            raise ValueError(f"crop must be positive, got {list(self.crop)}")
        if self.gamma is not None and not 0 < self.gamma[0] <= self.gamma[1]:
            raise ValueError(f"gamma must be a range of positive numbers, got {list(self.gamma)}")
        return self

    def moves(self) -> list[str]:
        """List the settings that only whole photographs have a use for, and that are on."""
        return [key for key in ("crop", "flips", "gamma", "include_val") if getattr(self, key)]


class Evaluation(Strict):
    """When and on what the reported metric is measured."""

    split: Literal["test", "validation"] = Field(
        default="test", description="The reported metric is measured on this split."
    )
    every: int | None = Field(
        default=None,
        ge=1,
        description="It is measured every so many epochs, too; null: after the last one only.",
    )
    validation_fraction: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="This part of the training subset is held out; in boundary sets it is "
        "a part of val.",
    )

    @model_validator(mode="after")
    def _held_out(self) -> Evaluation:
        if self.split == "validation" and self.validation_fraction == 0:
            raise ValueError("split 'validation' needs validation_fraction > 0")
        if self.split == "test" and self.every is not None:
            raise ValueError(
                "every needs split 'validation': the test set is read once, at the end"
            )
        return self


class GradientRecipe(Strict):
    """Training by mini-batch gradients."""

    kind: Literal["gradient"] = "gradient"
    optimizer: Optimizer = Field(description="The weights are updated by this rule.")
    schedule: Schedule = Field(
        default=Constant(), description="The learning rate follows it over the epochs."
    )
    epochs: int = Field(
        ge=1, le=1_000_000, description="The training subset is passed so many times."
    )
    batch_size: int = Field(
        ge=1, le=10_000_000, description="The global batch has so many images; workers split it."
    )
    drop_last: bool = Field(
        default=True, description="If true, an incomplete last batch is left out."
    )
    clip_norm: float | None = Field(
        default=None,
        gt=0,
        description="The norm of the gradient is limited to it; null: it is not.",
    )
    amp: Literal["bfloat16", "float16"] | None = Field(
        default=None, description="Mixed precision is of this type; null: all is in float32."
    )
    compile: bool = Field(
        default=False, description="If true, the model is wrapped in torch.compile."
    )
    standardize: bool = Field(
        default=False,
        description="If true, the training images' mean is subtracted, and their deviation "
        "divided by.",
    )
    mean_image: bool = Field(
        default=False,
        description="If true, the mean training image is subtracted, cropped as the image "
        "is; nothing is divided by.",
    )
    augmentation: Augmentation | None = Field(
        default=None, description="Training images are moved so; null: they are not."
    )
    crop: Crop | None = Field(
        default=None, description="Images in shards are cropped so, and need it."
    )
    boundaries: Boundaries | None = Field(
        default=None,
        description="Data of the forms boundaries and blobs are learned so, and need it.",
    )
    evaluation: Evaluation = Field(
        default=Evaluation(), description="The reported metric is measured so."
    )

    @model_validator(mode="after")
    def _one_mean(self) -> GradientRecipe:
        if self.mean_image and (self.standardize or not self.crop or self.crop.kind != "random"):
            raise ValueError("mean_image goes with crop kind 'random', without standardize")
        return self


class ClosedFormRecipe(Strict):
    """Fixed features and a classifier whose parameters are cross-validated on the subset."""

    kind: Literal["closed_form"]
    classifier: Literal["pca", "svm", "logistic"] = Field(
        description="The classifier is of affine PCA spaces, a linear SVM, or logistic regression."
    )
    folds: int = Field(
        default=5, ge=2, description="Parameters are cross-validated in so many folds."
    )
    grid: list[float] = Field(
        min_length=1, description="These dimensions of PCA, or values of C, are tried."
    )
    evaluation: Evaluation = Field(
        default=Evaluation(), description="The reported metric is measured so."
    )


class RidgeRecipe(Strict):
    """Fixed features and a linear estimate of a score, its penalty chosen on the training part."""

    kind: Literal["ridge"]
    folds: int = Field(
        default=5, ge=2, description="The penalty is cross-validated in so many folds."
    )
    grid: list[Annotated[float, Field(gt=0)]] = Field(
        min_length=1,
        description="These penalties are tried, in units of the features' mean squared length.",
    )
    evaluation: Evaluation = Field(
        default=Evaluation(), description="The reported metric is measured so."
    )


Recipe = Annotated[GradientRecipe | ClosedFormRecipe | RidgeRecipe, Field(discriminator="kind")]
