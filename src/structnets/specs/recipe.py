"""How a model is trained: optimiser, schedule, augmentation, measurement, as checked models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from structnets.specs.validation import Strict


class Adadelta(Strict):
    """Adadelta (Zeiler 2012), the optimiser of the released MNIST code."""

    name: Literal["adadelta"]
    lr: float = Field(default=1.0, gt=0, description="Factor on the update at epoch 0.")
    rho: float = Field(default=0.95, gt=0, lt=1, description="Decay of the running averages.")
    eps: float = Field(default=1e-6, gt=0, description="Added inside the roots.")
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty.")


class Sgd(Strict):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"]
    lr: float = Field(gt=0, description="Learning rate at epoch 0.")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="Momentum.")
    nesterov: bool = Field(default=False, description="Nesterov's momentum.")
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty.")


class Adam(Strict):
    """Adam (Kingma and Ba 2015)."""

    name: Literal["adam"]
    lr: float = Field(default=1e-3, gt=0, description="Learning rate at epoch 0.")
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Decay rates.")
    eps: float = Field(default=1e-8, gt=0, description="Added to the denominator.")
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty.")


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
    milestones: list[int] = Field(description="Epochs (from 0) at which the rate drops.")
    gamma: float = Field(default=0.1, gt=0, le=1, description="Factor of one drop.")


class Factors(Strict):
    """The learning rate is multiplied by the factor of the last milestone passed."""

    name: Literal["factors"]
    milestones: list[int] = Field(description="Epochs (from 0), ascending.")
    factors: list[float] = Field(description="One per milestone, each of the first rate.")

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

    shift: int = Field(default=0, ge=0, description="Largest shift in pixels, along each axis.")
    flip: bool = Field(default=False, description="Exchange left and right of half the images.")


class Crop(Strict):
    """The square of every image in shards that the model sees, drawn anew at each step."""

    kind: Literal["random", "scale_aspect"] = Field(
        description="Anywhere as it is; or of random area and aspect, resized. In evaluation: the "
        "middle as it is; or seven eighths of the short side, resized."
    )
    size: int = Field(ge=1, description="Side in pixels.")
    flip: bool = Field(default=True, description="Exchange left and right of half the images.")


class Boundaries(Strict):
    """How boundaries are learned and measured: crops, their moves, and the benchmark's settings."""

    crop: tuple[int, int] | None = Field(
        default=None, description="Height and width of random crops; null: whole images."
    )
    flips: bool = Field(
        default=False, description="Exchange left and right, and top and bottom, of half of them."
    )
    gamma: tuple[float, float] | None = Field(
        default=None, description="Range of the exponent of intensities; null: left as they are."
    )
    include_val: bool = Field(
        default=False, description="Train on the images of val that are not held out, too."
    )
    sparsity: float | None = Field(
        default=None,
        gt=0,
        description="Weight of a loss on mean answers apart from the boundaries' rate; H-Net: 1.",
    )
    thresholds: int = Field(default=99, ge=1, le=999, description="Of the benchmark.")
    max_distance: float = Field(
        default=0.0075, gt=0, le=0.1, description="Of corresponding pixels, in diagonals."
    )
    nms: Literal["none", "edges", "hed"] = Field(
        default="none", description="Suppression of the probability map before thinning."
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
        default="test", description="Split of the reported metric."
    )
    every: int | None = Field(
        default=None, ge=1, description="Also every k epochs; null: at the final epoch only."
    )
    validation_fraction: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Part of the training subset held out; of boundary sets, part of val.",
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
    optimizer: Optimizer = Field(description="Update rule.")
    schedule: Schedule = Field(default=Constant(), description="Learning rate over epochs.")
    epochs: int = Field(ge=1, description="Passes over the training subset.")
    batch_size: int = Field(ge=1, description="Global batch; workers split it.")
    drop_last: bool = Field(default=True, description="Leave out an incomplete last batch.")
    clip_norm: float | None = Field(default=None, gt=0, description="Gradient norm limit.")
    amp: Literal["bfloat16", "float16"] | None = Field(
        default=None, description="Automatic mixed precision; null: float32."
    )
    compile: bool = Field(default=False, description="Wrap the model in torch.compile.")
    standardize: bool = Field(
        default=False, description="Subtract mean, divide by deviation of the training images."
    )
    mean_image: bool = Field(
        default=False,
        description="Subtract the mean training image, cropped as the image is; divide by nothing.",
    )
    augmentation: Augmentation | None = Field(default=None, description="Null: none.")
    crop: Crop | None = Field(default=None, description="Of images in shards, which need one.")
    boundaries: Boundaries | None = Field(
        default=None, description="For data of the forms boundaries and blobs, which need it."
    )
    evaluation: Evaluation = Field(default=Evaluation(), description="Measurement.")

    @model_validator(mode="after")
    def _one_mean(self) -> GradientRecipe:
        if self.mean_image and (self.standardize or not self.crop or self.crop.kind != "random"):
            raise ValueError("mean_image goes with crop kind 'random', without standardize")
        return self


class ClosedFormRecipe(Strict):
    """Fixed features and a classifier whose parameters are cross-validated on the subset."""

    kind: Literal["closed_form"]
    classifier: Literal["pca", "svm", "logistic"] = Field(
        description="Affine PCA spaces, a linear SVM, or logistic regression."
    )
    folds: int = Field(default=5, ge=2, description="Cross-validation folds.")
    grid: list[float] = Field(min_length=1, description="PCA dimensions, or values of C.")
    evaluation: Evaluation = Field(default=Evaluation(), description="Measurement.")


Recipe = Annotated[GradientRecipe | ClosedFormRecipe, Field(discriminator="kind")]
