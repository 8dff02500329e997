"""A study: data of one's own, models, numbers of training pictures and seeds, in one YAML file.

The file may lie anywhere; paths in it are relative to it. It needs no chapter, preset or
experiment: what a row does not say has a default (`structnets.specs.study.resolution`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from structnets.data.sets.entries.pictures import SIDES
from structnets.files import named_by_user
from structnets.specs.resolved import Option
from structnets.specs.validation import Strict, checked, load_yaml

NAME = re.compile(r"[a-z0-9][a-z0-9_]*")

LINEAR = "linear"
"""The fitted row that stands beside studies of cohorts, and of pictures with scores."""

MEAN = "always the mean"
"""Who estimates the same of all, a row beside every score."""

RATES = "the labels' rates"
"""Who says of all how frequent each label is in training, a row beside studies of labels."""

_BESIDE = {"regression": {LINEAR, MEAN}, "multilabel": {RATES}}


class Pictures(Strict):
    """How pictures become what a net sees."""

    side: Literal[SIDES] = Field(  # type: ignore[valid-type]
        default=56, description="Pictures are stored with a short side of so many pixels."
    )
    fit: Literal["short", "squash"] = Field(
        default="short",
        description="With short the aspect is kept; with squash every picture becomes a square.",
    )
    crop: int = Field(
        default=48,
        ge=8,
        description="What a net is shown is a square of this side; in tests it is the middle.",
    )
    flip: bool = Field(
        default=True,
        description="If true, left and right of half the training pictures are exchanged.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Pictures:
        if self.crop > self.side:
            raise ValueError(f"crop {self.crop} is larger than side {self.side}")
        return self


class Split(Strict):
    """Which pictures are for testing, where neither folders nor a table say it."""

    test: float = Field(
        default=0.25, gt=0, lt=1, description="This part of every class is for testing."
    )
    seed: int = Field(default=0, ge=0, description="The part is drawn from this seed.")
    groups: str | None = Field(
        default=None,
        description="Pictures of one group are all for training or all for testing. With folder, a "
        "group is a folder within a class, the same in every class; else this is a regular "
        "expression whose first group, matched in a picture's name, is the name of its group.",
    )

    @field_validator("groups")
    @classmethod
    def _pattern(cls, text: str | None) -> str | None:
        if text in (None, "folder"):
            return text
        try:
            found = re.compile(text or "")
        except re.error as error:
            raise ValueError(f"groups {text!r} is no regular expression: {error}") from error
        if not found.groups:
            raise ValueError(f"groups {text!r} has no group in parentheses, as in '(patient\\d+)'")
        return text


class Row(Strict):
    """One model of a study."""

    model: str = Field(
        description="It names a model (see `structnets models`), or where one's own is made, as "
        "`package.module:object`."
    )
    label: str | None = Field(
        default=None,
        description="The row has this name in the report; null: it has that of the model.",
    )
    options: dict[str, Option] = Field(
        default={}, description="The model's constructor is called with these options."
    )
    recipe: dict[str, Any] = Field(
        default={},
        description="The row has these settings in place of those of the study's recipe.",
    )

    @property
    def title(self) -> str:
        """What the report calls the row."""
        return self.label or self.model


class Limit(Strict):
    """What a study may take; it stops before it starts if it is expected to take more."""

    hours: float | None = Field(
        default=None,
        gt=0,
        description="It is at most so many hours; null: it is as long as it takes.",
    )
    gigabytes: float | None = Field(
        default=None,
        gt=0,
        description="It has at most so many gigabytes of disk; null: it has all there are.",
    )


class Study(Strict):
    """What the file of a study says."""

    study: str = Field(description="The study has this name: a-z, 0-9 and _.")
    question: str = Field(default="", description="The question is the first line of the report.")
    kind: Literal["classes", "regression", "multilabel"] = Field(
        default="classes",
        description="Classes are told apart; with regression a score, a number, is estimated; with "
        "multilabel a picture has any number of labels, as cat;dog, or none.",
    )
    images: str | None = Field(
        default=None,
        description="This folder has a folder for each class, or train and test with those.",
    )
    table: str | None = Field(
        default=None,
        description="This CSV or parquet file has the columns path and label, and perhaps group "
        "and split (train or test); paths are relative to `images`, or to the table.",
    )
    label: str | None = Field(
        default=None,
        description="This column of the table holds classes, score or labels; null: label.",
    )
    exclude: list[str] = Field(
        default=[], description="These pictures, or patterns of their names, are left out."
    )
    pictures: Pictures = Field(default=Pictures(), description="Pictures are prepared so.")
    split: Split = Field(default=Split(), description="Pictures for testing are chosen so.")
    rows: list[Row] = Field(min_length=1, description="These models are compared.")
    train_sizes: list[int | Literal["all"]] = Field(
        default=["all"],
        min_length=1,
        description="Each model is trained on so many pictures, of every class its part.",
    )
    seeds: int = Field(default=3, ge=1, description="Every training is repeated so many times.")
    recipe: dict[str, Any] = Field(
        default={},
        description="Trainings are described as `recipe` of a spec (spec.json), but for `steps` in "
        "place of `epochs`, which are as many for every number of pictures; what is left out has "
        "a default.",
    )
    limit: Limit = Field(default=Limit(), description="The study may take so much.")
    names: Literal["pseudonyms", "files"] = Field(
        default="pseudonyms",
        description="The report and MLflow call pictures picture-1a2b3c, or by their files' names.",
    )

    @field_validator("study")
    @classmethod
    def _named(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(f"study {name!r} must be of a-z, 0-9 and _, as in my_pictures")
        return name

    @field_validator("train_sizes")
    @classmethod
    def _sizes(cls, sizes: list[int | str]) -> list[int | str]:
        if any(isinstance(size, int) and size < 1 for size in sizes) or len(set(sizes)) < len(
            sizes
        ):
            raise ValueError(f"train_sizes must be different positive numbers or all, got {sizes}")
        return sizes

    @model_validator(mode="after")
    def _of_something(self) -> Study:
        if self.images is None and self.table is None:
            raise ValueError("give images (a folder) or table (a file): what the study is of")
        if self.table is None and (self.kind != "classes" or self.label is not None):
            asked = f"label: {self.label}" if self.kind == "classes" else f"kind: {self.kind}"
            raise ValueError(
                f"{asked} needs a table, whose column label says what each picture is: give table "
                "(path and label, one line a picture)"
            )
        if self.label in ("path", "group", "split", ""):
            raise ValueError(
                f"label {self.label!r} cannot be the column of what is learned: name another, or "
                "leave it out for the column label"
            )
        titles = [row.title for row in self.rows]
        if len(set(titles)) < len(titles):
            raise ValueError(f"rows need different labels, got {titles}")
        if taken := _BESIDE.get(self.kind, set()) & set(titles):
            raise ValueError(f"a row that stands beside is called {taken.pop()!r}: rename yours")
        return self

    @property
    def regression(self) -> bool:
        """Whether a score is estimated."""
        return self.kind == "regression"

    @property
    def label_column(self) -> str:
        """The column of the table that says what each picture is."""
        return self.label or "label"

    def place(self, path: str, file: Path) -> Path:
        """Return a path of the study in `file` as an absolute one."""
        return (file.parent / named_by_user(path)).resolve()


def load_study(path: Path) -> Study:
    """Read and check the file of a study.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not valid; every unknown key and wrong value is named.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: write a study with structnets new-study --images DIR "
            "(or --table FILE, or --cohort DIR --label COLUMN)"
        )
    return checked(Study, load_yaml(path), str(path))
