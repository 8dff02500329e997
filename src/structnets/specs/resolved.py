"""What resolved specs, sweeps and analyses look like: plain JSON, every default filled in.

Types for reading them with the standard library alone; `structnets.specs.spec` and its neighbours
check what people write and make these of it. A test holds the two to the same keys and values.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Preset = Literal["smoke", "small", "paper"]
Option = bool | int | float | str | None | list[int] | list[float] | list[str]


class ModelSettings(TypedDict):
    """A model of the registry and the options of its constructor."""

    name: str
    options: dict[str, Option]


class DataSettings(TypedDict):
    """A prepared data set and the part of its training images that is used."""

    name: str
    prepare: dict[str, Option]
    train_size: int | None


class AdadeltaSettings(TypedDict):
    """The optimiser Adadelta."""

    name: Literal["adadelta"]
    lr: float
    rho: float
    eps: float
    weight_decay: float


class SgdSettings(TypedDict):
    """Stochastic gradient descent."""

    name: Literal["sgd"]
    lr: float
    momentum: float
    nesterov: bool
    weight_decay: float


class AdamSettings(TypedDict):
    """The optimiser Adam."""

    name: Literal["adam"]
    lr: float
    betas: list[float]
    eps: float
    weight_decay: float


OptimizerSettings = AdadeltaSettings | SgdSettings | AdamSettings


class ConstantSettings(TypedDict):
    """A learning rate that stays."""

    name: Literal["constant"]


class LinearSettings(TypedDict):
    """A learning rate that falls linearly by epoch."""

    name: Literal["linear"]


class StepSettings(TypedDict):
    """A learning rate multiplied by one factor at each milestone."""

    name: Literal["step"]
    milestones: list[int]
    gamma: float


class FactorsSettings(TypedDict):
    """A learning rate multiplied by the factor of the last milestone passed."""

    name: Literal["factors"]
    milestones: list[int]
    factors: list[float]


ScheduleSettings = ConstantSettings | LinearSettings | StepSettings | FactorsSettings


class AugmentationSettings(TypedDict):
    """Random moves of every training image."""

    shift: int
    flip: bool


class CropSettings(TypedDict):
    """The square of every image in shards that the model sees."""

    kind: Literal["random", "scale_aspect"]
    size: int
    flip: bool


class BoundarySettings(TypedDict):
    """How boundaries are learned and measured."""

    crop: list[int] | None
    flips: bool
    gamma: list[float] | None
    include_val: bool
    sparsity: float | None
    thresholds: int
    max_distance: float
    nms: Literal["none", "edges", "hed"]


class EvaluationSettings(TypedDict):
    """When and on what the reported metric is measured."""

    split: Literal["test", "validation"]
    every: int | None
    validation_fraction: float


class GradientHead(TypedDict):
    """What recipes of mini-batch gradients share, whatever the form of their data."""

    kind: Literal["gradient"]
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    epochs: int
    batch_size: int
    drop_last: bool
    clip_norm: float | None
    amp: Literal["bfloat16", "float16"] | None
    compile: bool
    standardize: bool
    mean_image: bool
    augmentation: AugmentationSettings | None
    evaluation: EvaluationSettings


class GradientSettings(GradientHead):
    """A recipe of mini-batch gradients."""

    crop: CropSettings | None
    boundaries: BoundarySettings | None


class ShardSettings(GradientHead):
    """A recipe of mini-batch gradients for images in shards, which need a crop."""

    crop: CropSettings
    boundaries: None


class DetectionSettings(GradientHead):
    """A recipe of mini-batch gradients for boundaries and blobs."""

    crop: None
    boundaries: BoundarySettings


class ClosedFormSettings(TypedDict):
    """A recipe of fixed features and a classifier."""

    kind: Literal["closed_form"]
    classifier: Literal["pca", "svm", "logistic"]
    folds: int
    grid: list[float]
    evaluation: EvaluationSettings


class RidgeSettings(TypedDict):
    """A recipe of fixed features and a linear estimate of a score."""

    kind: Literal["ridge"]
    folds: int
    grid: list[float]
    evaluation: EvaluationSettings


class SpecHead(TypedDict):
    """What specs of either kind of recipe share."""

    chapter: int | None
    preset: Preset
    model: ModelSettings
    data: DataSettings
    metric: str
    seed: int


class GradientSpec(SpecHead):
    """The science of one training by gradients."""

    recipe: GradientSettings


class ShardSpec(SpecHead):
    """The science of one training on images in shards."""

    recipe: ShardSettings


class DetectionSpec(SpecHead):
    """The science of one training on boundaries or blobs."""

    recipe: DetectionSettings


class ClosedFormSpec(SpecHead):
    """The science of one training in closed form."""

    recipe: ClosedFormSettings


class RidgeSpec(SpecHead):
    """The science of one linear estimate of a score."""

    recipe: RidgeSettings


ResolvedSpec = GradientSpec | ClosedFormSpec | RidgeSpec


class AshaSettings(TypedDict):
    """How poor trials of a sweep stop early."""

    grace_epochs: int
    reduction_factor: int


class DrawingSettings(TypedDict):
    """How the trials of a sweep are drawn."""

    kind: Literal["layers", "grid", "pareto"]
    x: str | None
    y: str | None


class ResolvedSweep(TypedDict):
    """What the stage of a sweep runs: the spec its trials share, and the options of each."""

    sweep_id: str
    title: str
    figure: DrawingSettings
    name: str
    preset: Preset
    metric: str
    seed: int
    asha: AshaSettings
    base: GradientSpec
    points: list[dict[str, Option]]


class AnalysedRun(TypedDict):
    """A trained network that an analysis looks at."""

    key: str
    label: str
    run_id: str


class AskedAnalysis(TypedDict):
    """An analysis of some runs; one that is no target of the workflow has no more."""

    analysis_id: str
    target: str
    title: str
    preset: Preset | None
    analysis: str
    options: dict[str, Any]
    models: list[AnalysedRun]
    repeat: NotRequired[int]


class ResolvedAnalysis(AskedAnalysis):
    """What the stage of an analysis works on."""

    chapter: int | None
    caption: str
