"""What a run is: the spec of one training, checked.

Checking a spec fills every default, and the resolved JSON (`structnets.specs.resolved`) is what
`structnets.identity` digests. Unknown keys and values are refused with the allowed ones listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator

from structnets.data.sets.entries.catalogue import (
    check_parameters,
    find_dataset,
    most_training_images,
    without_defaults,
)
from structnets.foreign.shown import shown
from structnets.forms.entries import FormEntry, find_form
from structnets.models.entries.arguments import MODELS, check_options, takes_classes
from structnets.specs.recipe import GradientRecipe, Recipe
from structnets.specs.resolved import Option, Preset, ResolvedSpec
from structnets.specs.validation import Strict, checked

_LARGEST = 1_000_000  # of a model's counts: kernels, channels, layers


class ModelSpec(Strict):
    """A model and the options of its constructor."""

    name: str = Field(
        description="It names a model (see `structnets models`), or where one's own is made, as "
        "`package.module:object`."
    )
    options: dict[str, Option] = Field(
        default={}, description="The constructor is called with these options."
    )

    @model_validator(mode="after")
    def _known(self) -> ModelSpec:
        MODELS.find(self.name, paths=True)
        check_options(self.name, self.options)
        for option, value in self.options.items():
            for number in value if isinstance(value, list) else [value]:
                if type(number) is int and not 0 <= number <= _LARGEST:
                    raise ValueError(
                        f"option {option!r} of model {self.name!r} is {shown(value)}; allowed: "
                        f"whole numbers from 0 to {_LARGEST}"
                    )
        return self


class DataSpec(Strict):
    """A prepared data set and the part of its training images that is used."""

    name: str = Field(
        description=(
            "The data set is prepared by the rule prepare_<name>; it may be named by its entry as "
            "package.module:object."
        )
    )
    prepare: dict[str, Option] = Field(
        default={}, description="It is prepared with these parameters."
    )
    train_size: int | None = Field(
        default=None,
        ge=1,
        description="So many images, the first of a seeded shuffle, are trained on; null: all are.",
    )

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        find_form(find_dataset(name).form)
        return name

    @field_validator("prepare")
    @classmethod
    def _brief(cls, prepare: dict[str, Option], info: ValidationInfo) -> dict[str, Option]:
        return without_defaults(info.data["name"], prepare) if "name" in info.data else prepare

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
        description="The thesis chapter names ledger and MLflow experiment; null: it is one's own.",
    )
    preset: Preset = Field(description="The preset is smoke, small or paper.")
    model: ModelSpec = Field(description="This model is trained.")
    data: DataSpec = Field(description="The model is trained and measured on these data.")
    recipe: Recipe = Field(description="The model is trained in this way.")
    metric: str = Field(
        default="accuracy",
        description="This metric is reported; the data set's form says which there are.",
    )
    seed: int = Field(
        ge=0, lt=1 << 63, description="Subset, initialisation, order and dropout follow from it."
    )

    @model_validator(mode="after")
    def _cropped(self) -> Spec:
        crop = getattr(self.recipe, "crop", None)
        if _form(self.data).recipe != "crop":
            if crop is not None:
                raise ValueError(f"{self.data.name} is not in shards: leave out recipe.crop")
            moved = getattr(self.recipe, "augmentation", None) is not None
            if moved and find_dataset(self.data.name).cohort:
                raise ValueError(
                    f"{self.data.name} has volumes, which are neither moved nor flipped: leave out "
                    "recipe.augmentation"
                )
        elif crop is None and self.recipe.kind != "ridge":
            raise ValueError(f"{self.data.name} is in shards, whose images need recipe.crop")
        elif getattr(self.recipe, "augmentation", None) is not None:
            raise ValueError("recipe.crop moves and flips: leave out recipe.augmentation")
        return self

    @model_validator(mode="after")
    def _belongs(self) -> Spec:
        form = _form(self.data)
        if self.metric not in form.metrics:
            raise ValueError(
                f"metric {self.metric!r} does not belong to {self.data.name}; "
                f"allowed: {', '.join(form.metrics)}"
            )
        kinds = ["gradient", form.fitted] if form.fitted else ["gradient"]
        if self.recipe.kind not in kinds:
            raise ValueError(
                f"recipe kind {self.recipe.kind!r} is not for {self.data.name}; allowed: "
                f"{', '.join(kinds)}"
            )
        if form.recipe == "boundaries":
            _check_boundaries(self.recipe, self.data)
        elif isinstance(self.recipe, GradientRecipe) and self.recipe.boundaries is not None:
            raise ValueError(f"recipe.boundaries: {self.data.name} has classes; leave it out")
        facts = find_dataset(self.data.name)
        counted = self.metric == "accuracy" or facts.cohort or facts.listed
        if counted and not takes_classes(self.model.name):
            raise ValueError(
                f"model {self.model.name!r} cannot be made for the classes of {self.data.name}: "
                "its constructor has no argument num_classes, or makes maps of them"
            )
        return self


def _form(data: DataSpec) -> FormEntry:
    return find_form(find_dataset(data.name).form)


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


def validate(spec: Mapping[str, Any]) -> ResolvedSpec:
    """Check a spec and return it resolved: plain JSON with every default filled in.

    Raises
    ------
    ValueError
        Naming each offending key, its value and what is allowed.
    """
    # What is no mapping at all is for `checked` to refuse.
    recipe = spec.get("recipe") if isinstance(spec, Mapping) else None
    if isinstance(recipe, dict) and "kind" not in recipe:
        spec = {**spec, "recipe": {"kind": "gradient", **recipe}}
    return cast("ResolvedSpec", checked(Spec, spec, "spec").model_dump(mode="json"))
