"""The file of a study of one's own cohort, and the specs of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from structnets.data.sets.entries.catalogue import without_defaults
from structnets.files import named_by_user
from structnets.identity import run_id
from structnets.specs.experiment import merge
from structnets.specs.inner_folds import (
    USUAL_INNER,
    folds_of_scores,
    leave_every_class,
    ridge_recipe,
)
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.spec import validate
from structnets.specs.study import LINEAR, Limit, Row
from structnets.specs.study.resolution import refuse_other_split
from structnets.specs.validation import Strict, checked, load_yaml

FEWEST = 10
"""From fewer people of a class, a study does not start unless it is told to."""

FEWEST_SCORED = 20
"""From fewer people with a score."""

_RECIPE: Mapping[str, Any] = {
    "optimizer": {"name": "adam", "lr": 1e-3},
    "schedule": {"name": "linear"},
    "epochs": 20,
    "batch_size": 4,
    "standardize": True,
}
_GRID = (0.001, 0.01, 0.1, 1.0)


class CohortStudy(Strict):
    """What the file of a study of a cohort says."""

    study: str = Field(
        pattern=r"^[a-z0-9_]+$", description="The study is called so: a-z, 0-9 and _."
    )
    question: str = Field(default="", description="The report begins with this sentence.")
    cohort: str = Field(description="The folder: BIDS, or one with labels.csv.")
    layout: Literal["bids", "folder"] = Field(
        default="bids", description="With folder, labels.csv names subject and file of each scan."
    )
    kind: Literal["classes", "regression"] = Field(
        default="classes",
        description="Classes are told apart, or with regression a score, a number, is estimated.",
    )
    label: str = Field(description="The column of the table that holds the classes, or the score.")
    classes: list[str] = Field(
        default=[],
        description="Its values that are compared; of two, the negative first. None of a score.",
    )
    covariates: list[str] = Field(
        default=[], description="These columns are compared between the classes."
    )
    regress_out: list[str] = Field(
        default=[],
        description="What these columns say is taken out of every voxel, as fitted to the people "
        "that are trained on.",
    )
    sessions: Literal["first", "all"] = Field(
        default="first", description="Of each subject the first session is used, or all are."
    )
    exclude: list[str] = Field(
        default=[], description="Subjects, scans or patterns of file names that are left out."
    )
    keep: list[str] = Field(
        default=[], description="Scans that quality control flagged and that are used all the same."
    )
    exclude_failed: bool = Field(
        default=False, description="If true, all that quality control flags is left out."
    )
    grid_mm: Literal[2, 4, 6, 8] = Field(default=4, description="The edge of a voxel.")
    field_of_view: Literal["whole", "brain"] = Field(
        default="whole",
        description="What nets see of the grid: all of it, or the box around the template's brain, "
        "about half as many voxels.",
    )
    folds: int = Field(
        default=10, ge=2, description="Subjects are dealt into so many parts, held out in turn."
    )
    leave_out: str | None = Field(
        default=None,
        description="Instead of folds: subject, or a column such as site, each value of which is "
        "held out in turn.",
    )
    repeats: int = Field(
        default=1, ge=1, le=10, description="The folds are dealt anew so many times."
    )
    rows: list[Row] = Field(default=[], description="These nets are compared.")
    recipe: dict[str, Any] = Field(default={}, description="How nets are trained.")
    few: Literal["stop", "run"] = Field(
        default="stop",
        description=f"With fewer than {FEWEST} people of a class, or {FEWEST_SCORED} with a score, "
        "stop before anything is trained.",
    )
    maps: bool = Field(
        default=False,
        description="If true, the report has a map of each net: where its answers are sensitive.",
    )
    limit: Limit = Field(default=Limit(), description="The study may take so much.")
    names: Literal["pseudonyms", "subjects"] = Field(
        default="pseudonyms", description="What the report calls people."
    )

    @field_validator("classes")
    @classmethod
    def _several(cls, classes: list[str]) -> list[str]:
        classes = [name.strip() for name in classes]  # as cells of a table are read
        if classes and (len(classes) < 2 or len(set(classes)) < len(classes)):
            raise ValueError(
                f"a study compares two different classes or more, got {classes}; to estimate a "
                "score write kind: regression, and no classes"
            )
        if odd := [name for name in classes if name.splitlines() != [name] or "," in name]:
            raise ValueError(
                f"the name of a class has a comma or a line break, or is empty: {odd[0]!r}; rename "
                "it"
            )
        return classes

    @field_validator("rows")
    @classmethod
    def _different(cls, rows: list[Row]) -> list[Row]:
        titles = [LINEAR, *(row.title for row in rows)]
        if len(set(titles)) < len(titles):
            raise ValueError(f"rows need different labels, and none may be {LINEAR}: {titles[1:]}")
        return rows

    @model_validator(mode="after")
    def _of_a_kind(self) -> CohortStudy:
        if self.regression and self.classes:
            raise ValueError("kind: regression estimates a number: take the classes out")
        if not self.regression and not self.classes:
            raise ValueError(
                f"classes: name the values of {self.label} that are compared; or write kind: "
                "regression, if it holds a score"
            )
        if self.regression and self.label in (*self.covariates, *self.regress_out, self.leave_out):
            raise ValueError(
                f"{self.label} is the score that is estimated: take it out of covariates, "
                "regress_out and leave_out"
            )
        return self

    @property
    def regression(self) -> bool:
        """Whether a score is estimated."""
        return self.kind == "regression"

    @property
    def dataset(self) -> str:
        """The data set of its specs."""
        return "cohort_scores" if self.regression else "cohort"

    @model_validator(mode="after")
    def _one_way(self) -> CohortStudy:
        if self.leave_out is not None and self.repeats > 1:
            raise ValueError("leave_out has one way of leaving out: give no repeats")
        return self

    def folder(self, file: Path) -> Path:
        """Return where the cohort of the study in `file` lies."""
        return (file.parent / named_by_user(self.cohort)).resolve()

    def prepare(self) -> dict[str, Any]:
        """Return the prepare parameters, all but the content."""
        found: dict[str, Any] = {
            "label_column": self.label,
            **({"classes": ",".join(self.classes)} if self.classes else {}),
            "grid_mm": self.grid_mm,
            "field_of_view": self.field_of_view,
            **({"layout": "folder"} if self.layout == "folder" else {}),
            **({"covariates": ",".join(self.covariates)} if self.covariates else {}),
            **({"regress_out": ",".join(self.regress_out)} if self.regress_out else {}),
            **({"sessions": "all"} if self.sessions == "all" else {}),
            **({"exclude_failed": True} if self.exclude_failed else {}),
            **{key: value for key in ("exclude", "keep") if (value := getattr(self, key))},
        }
        way = {"folds": self.folds} if self.leave_out is None else {"leave_out": self.leave_out}
        return without_defaults(self.dataset, {**found, **way})


@dataclass(frozen=True)
class CohortRun:
    """One training of a study: a row, and what it holds out."""

    row: str
    seed: int
    spec: ResolvedSpec

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return run_id(self.spec)


def is_cohort_study(path: Path) -> bool:
    """Say whether the file of a study is of a cohort."""
    content = load_yaml(path) if path.is_file() else None
    return isinstance(content, dict) and "cohort" in content


def load_cohort_study(path: Path) -> CohortStudy:
    """Read and check the file of a study of a cohort.

    Raises
    ------
    ValueError
        If it is not valid; every unknown key and wrong value is named.
    """
    return checked(CohortStudy, load_yaml(path), str(path))


def inner_folds(left: Mapping[str, int]) -> int | None:
    """Return the inner folds for so many people of each class in training; None if too few.

    They are dealt without regard to classes, so that there are as many as it takes for none to hold
    a whole class. People with a score are one class, of which any may be in a fold.
    """
    total, least = sum(left.values()), min(left.values())
    if len(left) == 1:
        return folds_of_scores(total)
    for inner in range(min(USUAL_INNER, total), total + 1):
        if leave_every_class(total, least, inner):
            return inner
    return None


def _logistic(inner: int | None) -> dict[str, Any] | None:
    """Return the recipe of the linear row of classes; None without inner folds."""
    fixed = {"kind": "closed_form", "classifier": "logistic", "grid": list(_GRID)}
    return {**fixed, "folds": inner} if inner else None


def cohort_runs(
    study: CohortStudy, content: str, parts: int, left: Mapping[str, int]
) -> Iterator[CohortRun]:
    """Resolve every training of a study.

    Parameters
    ----------
    study : CohortStudy
        What is asked for.
    content : str
        Digest of the cohort (`structnets.cohorts.content`).
    parts : int
        Number of parts that are held out in turn.
    left : mapping
        Least number of people of each class that are left for training.

    Raises
    ------
    ValueError
        If a spec is not valid, or a recipe measures others than the people that are held out.
    """
    data = {"name": study.dataset, "prepare": {**study.prepare(), "content": content}}
    models = [
        (row.title, {"name": row.model, "options": row.options},
         merge(merge(dict(_RECIPE), study.recipe), row.recipe))
        for row in study.rows
    ]  # fmt: skip
    for title, _, recipe in models:
        refuse_other_split(title, recipe, "the people that are held out")
    fitted = ridge_recipe(sum(left.values())) if study.regression else _logistic(inner_folds(left))
    if fitted:
        models.append((LINEAR, {"name": "standardized_voxels"}, fitted))
    for title, model, recipe in models:
        for seed in range(parts * study.repeats):
            spec = {
                "chapter": None,
                "preset": "small",
                "model": model,
                "data": data,
                "recipe": recipe,
                "seed": seed,
                **({"metric": "mae"} if study.regression else {}),
            }
            yield CohortRun(title, seed, validate(spec))
