"""What a run is: the validated spec, and how an experiment file resolves into one.

An *experiment* file (``workflow/experiments/<chapter>/*.yaml``) holds a model, a data set and a
recipe, with overrides per preset. A *table* file adds overrides per row and column. Merging them
gives a spec; validating the spec fills every default, and the resolved JSON is what
`structnets.identity` digests. Unknown keys and values are refused with the allowed ones listed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from structnets.data.catalogue import check_parameters, most_training_images
from structnets.models.registry import MODEL_NAMES, check_options
from structnets.validation import checked

Preset = Literal["smoke", "small", "paper"]
DatasetName = Literal["mnist", "digits", "cifar10", "cifar10_jpeg", "cifar100", "imagenet"]
Option = bool | int | float | str | None | list[int] | list[float] | list[str]


class Strict(BaseModel):
    """Frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSpec(Strict):
    """A model of the registry and the options of its constructor."""

    name: str = Field(description="Name in the model registry (see `structnets models`).")
    options: dict[str, Option] = Field(default={}, description="Constructor options.")

    @model_validator(mode="after")
    def _known(self) -> ModelSpec:
        if self.name not in MODEL_NAMES:
            raise ValueError(f"unknown model {self.name!r}; allowed: {', '.join(MODEL_NAMES)}")
        check_options(self.name, self.options)
        return self


class DataSpec(Strict):
    """A prepared data set and the part of its training images that is used."""

    name: DatasetName = Field(description="Data set, prepared by the rule prepare_<name>.")
    prepare: dict[str, Option] = Field(default={}, description="Parameters of the preparation.")
    train_size: int | None = Field(
        default=None, ge=1, description="First n images of a seeded shuffle; null: all."
    )

    @model_validator(mode="after")
    def _possible(self) -> DataSpec:
        check_parameters(self.name, self.prepare)
        count = most_training_images(self.name, self.prepare)
        if self.train_size is not None and self.train_size > count:
            raise ValueError(f"train_size {self.train_size} exceeds the {count} training images")
        if self.prepare.get("partial") and self.train_size is None:
            raise ValueError(
                "a partial data set needs a train_size: all of its images are not the full set"
            )
        return self


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


Schedule = Annotated[Constant | Linear | Step, Field(discriminator="name")]


class Evaluation(Strict):
    """When and on what accuracy is measured."""

    split: Literal["test", "validation"] = Field(
        default="test", description="Split of the reported metric."
    )
    every: int | None = Field(
        default=None, ge=1, description="Also every k epochs; null: at the final epoch only."
    )
    validation_fraction: float = Field(
        default=0.0, ge=0, lt=1, description="Part of the training subset held out."
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
    evaluation: Evaluation = Field(default=Evaluation(), description="Measurement.")


class ClosedFormRecipe(Strict):
    """Fixed features and a classifier whose parameters are cross-validated on the subset."""

    kind: Literal["closed_form"]
    classifier: Literal["pca", "svm"] = Field(description="Affine PCA spaces, or a linear SVM.")
    folds: int = Field(default=5, ge=2, description="Cross-validation folds.")
    grid: list[float] = Field(min_length=1, description="PCA dimensions, or values of C.")
    evaluation: Evaluation = Field(default=Evaluation(), description="Measurement.")


Recipe = Annotated[GradientRecipe | ClosedFormRecipe, Field(discriminator="kind")]


class Spec(Strict):
    """The science of one training."""

    chapter: int = Field(ge=3, le=6, description="Thesis chapter; names ledger and experiment.")
    preset: Preset = Field(description="smoke, small or paper.")
    model: ModelSpec
    data: DataSpec
    recipe: Recipe
    metric: Literal["accuracy"] = Field(default="accuracy", description="Reported metric.")
    seed: int = Field(ge=0, description="Of subset, initialisation, order and dropout.")


class Experiment(Strict):
    """One experiment file: what rows of tables share."""

    chapter: int = Field(ge=3, le=6, description="Thesis chapter.")
    model: dict[str, Any] = Field(description="As ModelSpec.")
    data: dict[str, Any] = Field(description="As DataSpec.")
    recipe: dict[str, Any] = Field(description="As Recipe; `kind` defaults to gradient.")
    metric: str = Field(default="accuracy", description="Reported metric.")
    presets: dict[Preset, dict[str, Any]] = Field(
        description="Overrides merged last, per preset; a preset not named cannot be run."
    )


def merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return `first` with `second` laid over it, mapping by mapping.

    A mapping whose ``name`` or ``kind`` changes is replaced whole, so that options of another
    optimiser, say, do not linger.
    """
    merged = dict(first)
    for key, value in second.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not _other_kind(old, value):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def _other_kind(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return any(key in new and key in old and new[key] != old[key] for key in ("name", "kind"))


def validate(spec: dict[str, Any]) -> dict[str, Any]:
    """Check a spec and return it resolved: plain JSON with every default filled in.

    Raises
    ------
    ValueError
        Naming each offending key, its value and what is allowed.
    """
    recipe = spec.get("recipe")
    if isinstance(recipe, dict) and "kind" not in recipe:
        spec = {**spec, "recipe": {"kind": "gradient", **recipe}}
    return checked(Spec, spec, "spec").model_dump(mode="json")


def load_experiment(content: dict[str, Any], name: str) -> Experiment:
    """Validate the parsed YAML of an experiment file called `name`."""
    return checked(Experiment, content, name)


def resolve(
    experiment: Experiment,
    preset: str,
    seed: int,
    *overrides: dict[str, Any],
) -> dict[str, Any]:
    """Resolve an experiment to the spec of one run.

    Parameters
    ----------
    experiment : Experiment
        The checked experiment file.
    preset : {'smoke', 'small', 'paper'}
        Its overrides are merged last.
    seed : int
        Seed of the run.
    *overrides : dict
        Of the table's column and row, merged in this order over the experiment.

    Returns
    -------
    dict
        Resolved spec: plain JSON, every default filled.

    Raises
    ------
    ValueError
        If the experiment has no such preset, or the merged spec is not valid.
    """
    if preset not in experiment.presets:
        allowed = ", ".join(experiment.presets)
        raise ValueError(f"preset {preset!r} is not defined by the experiment; allowed: {allowed}")
    spec = experiment.model_dump(exclude={"presets"})
    spec["recipe"].setdefault("kind", "gradient")
    for override in (*overrides, experiment.presets[preset]):  # type: ignore[index]
        spec = merge(spec, override)
    return validate({**spec, "preset": preset, "seed": seed})
