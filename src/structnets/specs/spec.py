"""What a run is: the validated spec, and how an experiment file resolves into one.

An *experiment* file (``workflow/experiments/<chapter>/*.yaml``) holds a model, a data set and a
recipe, with overrides per preset. A *table* file adds overrides per row and column. Merging them
gives a spec; validating the spec fills every default, and the resolved JSON is what
`structnets.identity` digests. Unknown keys and values are refused with the allowed ones listed.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from structnets.data.sets.catalogue import (
    DATASETS,
    METRICS,
    check_parameters,
    find_dataset,
    most_training_images,
)
from structnets.models.registry import MODELS, check_options, takes_classes
from structnets.specs.recipe import GradientRecipe, Recipe
from structnets.specs.validation import Strict, checked

Preset = Literal["smoke", "small", "paper"]
Option = bool | int | float | str | None | list[int] | list[float] | list[str]


class ModelSpec(Strict):
    """A model and the options of its constructor."""

    name: str = Field(
        description="Name of a model (see `structnets models`), or where one's own is made, as "
        "`package.module:object`."
    )
    options: dict[str, Option] = Field(default={}, description="Constructor options.")

    @model_validator(mode="after")
    def _known(self) -> ModelSpec:
        MODELS.find(self.name, paths=True)
        check_options(self.name, self.options)
        return self


class DataSpec(Strict):
    """A prepared data set and the part of its training images that is used."""

    name: str = Field(
        description="Data set, prepared by the rule prepare_<name>.",
        json_schema_extra={"enum": list(DATASETS)},
    )
    prepare: dict[str, Option] = Field(default={}, description="Parameters of the preparation.")
    train_size: int | None = Field(
        default=None, ge=1, description="First n images of a seeded shuffle; null: all."
    )

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return find_dataset(name).name

    @model_validator(mode="after")
    def _possible(self) -> DataSpec:
        check_parameters(self.name, self.prepare)
        count = most_training_images(self.name, self.prepare)
        if self.train_size is not None and find_dataset(self.name).cohort:
            raise ValueError(f"{self.name} is cross-validated whole: leave out train_size")
        if self.train_size is not None and self.train_size > count:
            raise ValueError(f"train_size {self.train_size} exceeds the {count} training images")
        if self.prepare.get("partial") and self.train_size is None:
            raise ValueError(
                "a partial data set needs a train_size: all of its images are not the full set"
            )
        return self


class Spec(Strict):
    """The science of one training."""

    chapter: int | None = Field(
        default=None,
        ge=3,
        le=6,
        description="Thesis chapter, which names ledger and MLflow experiment; null: of one's own.",
    )
    preset: Preset = Field(description="smoke, small or paper.")
    model: ModelSpec
    data: DataSpec
    recipe: Recipe
    metric: Literal["accuracy", "ods", "ois", "ap"] = Field(
        default="accuracy", description="Reported metric; the data set's form says which."
    )
    seed: int = Field(ge=0, description="Of subset, initialisation, order and dropout.")

    @model_validator(mode="after")
    def _cropped(self) -> Spec:
        crop = getattr(self.recipe, "crop", None)
        if find_dataset(self.data.name).form != "shards":
            if crop is not None:
                raise ValueError(f"{self.data.name} is not in shards: leave out recipe.crop")
        elif crop is None:
            raise ValueError(f"{self.data.name} is in shards, whose images need recipe.crop")
        elif getattr(self.recipe, "augmentation", None) is not None:
            raise ValueError("recipe.crop moves and flips: leave out recipe.augmentation")
        return self

    @model_validator(mode="after")
    def _belongs(self) -> Spec:
        form = find_dataset(self.data.name).form
        if self.metric not in METRICS[form]:
            raise ValueError(
                f"metric {self.metric!r} does not belong to {self.data.name}; "
                f"allowed: {', '.join(METRICS[form])}"
            )
        if form in ("boundaries", "blobs"):
            _check_boundaries(self.recipe, self.data)
        elif isinstance(self.recipe, GradientRecipe) and self.recipe.boundaries is not None:
            raise ValueError(f"recipe.boundaries: {self.data.name} has classes; leave it out")
        if self.metric == "accuracy" and not takes_classes(self.model.name):
            raise ValueError(
                f"model {self.model.name!r} cannot be made for the classes of {self.data.name}: "
                "its constructor has no argument num_classes"
            )
        return self


def _check_boundaries(recipe: Recipe, data: DataSpec) -> None:
    """Refuse what learning boundaries has no use for, rather than pass over it."""
    facts = find_dataset(data.name)
    if not isinstance(recipe, GradientRecipe) or recipe.boundaries is None:
        raise ValueError(f"{data.name} needs a gradient recipe with boundaries")
    for key in ("augmentation", "standardize"):
        if getattr(recipe, key):
            raise ValueError(f"recipe.{key} is for images with classes; {data.name} has none")
    settings = recipe.boundaries
    if facts.form == "blobs" and settings.moves():
        names = ", ".join(settings.moves())
        raise ValueError(f"recipe.boundaries: blobs are drawn anew, leave out {names}")
    if settings.crop is not None and any(
        part > side for part, side in zip(settings.crop, facts.image_shape[1:], strict=True)
    ):
        raise ValueError(
            f"recipe.boundaries.crop {list(settings.crop)} exceeds the images' "
            f"{list(facts.image_shape[1:])}"
        )


class Resources(Strict):
    """What a training is given on a cluster; no part of its spec, which says what it computes."""

    size: Literal["small", "medium", "large"] = Field(
        default="medium", description="Memory and time, as `sizes` of the configuration says."
    )
    nodes: int = Field(
        default=1, ge=1, description="Machines its workers are spread over; no more than workers."
    )


class Experiment(Strict):
    """One experiment file: what rows of tables share."""

    chapter: int | None = Field(
        default=None, ge=3, le=6, description="Thesis chapter; null for one's own."
    )
    model: dict[str, Any] = Field(description="As ModelSpec.")
    data: dict[str, Any] = Field(description="As DataSpec.")
    recipe: dict[str, Any] = Field(description="As Recipe; `kind` defaults to gradient.")
    metric: str = Field(default="accuracy", description="Reported metric.")
    presets: dict[Preset, dict[str, Any]] = Field(
        description="Overrides merged last, per preset; a preset not named cannot be run."
    )
    resources: dict[Preset, Resources] = Field(
        default={}, description="What a training is given on a cluster, per preset."
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
    spec = experiment.model_dump(exclude={"presets", "resources"})
    spec["recipe"].setdefault("kind", "gradient")
    for override in (*overrides, experiment.presets[preset]):  # type: ignore[index]
        spec = merge(spec, override)
    return validate({**spec, "preset": preset, "seed": seed})
