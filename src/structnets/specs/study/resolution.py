"""From a study to the specs of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from structnets.identity import run_id
from structnets.specs.experiment import merge
from structnets.specs.inner_folds import ridge_recipe
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.spec import validate
from structnets.specs.study.model import LINEAR, Row, Study

STEPS, BATCH = 200, 32
"""A training has so many steps, of so many pictures each, unless the study says otherwise."""

DATA = {"classes": "pictures", "regression": "picture_scores", "multilabel": "picture_labels"}
"""The data set that the pictures of each kind of study are."""

_METRIC = {"regression": {"metric": "mae"}, "multilabel": {"metric": "map"}}

FEWEST_SCORED = 10
"""From fewer pictures with a score nothing is learned."""

DEFAULT_RECIPE: Mapping[str, Any] = {
    "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True,
                  "weight_decay": 5e-4},
    "schedule": {"name": "linear"},
    "clip_norm": 5.0,
    "standardize": True,
}  # fmt: skip


@dataclass(frozen=True)
class StudyRun:
    """One training of a study.

    Attributes
    ----------
    row : str
        Title of its row, which may be the fitted one that stands beside.
    size : int
        Number of training pictures.
    seed : int
    spec : dict
        Resolved.
    """

    row: str
    size: int
    seed: int
    spec: ResolvedSpec

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return run_id(self.spec)


def study_runs(study: Study, content: str, classes: int, training: int) -> Iterator[StudyRun]:
    """Resolve every training of a study of pictures.

    Parameters
    ----------
    study : Study
        What is asked for.
    content : str
        Digest of the list of pictures.
    classes, training : int
        Numbers of classes or labels, none of scores, and of pictures for training.

    Raises
    ------
    ValueError
        If a number of training pictures is more than there are or fewer than classes, or a spec is
        not valid.
    """
    geometry = f"{study.pictures.fit}{study.pictures.side}"
    of = {"label_column": study.label_column} if study.regression else {"classes": classes}
    data = {"name": DATA[study.kind], "prepare": {"content": content, **of, "geometry": geometry}}
    for asked in study.train_sizes:
        size = _size_of(study, asked, classes, training)
        models = [
            (row.title, {"name": row.model, "options": row.options}, recipe_of(study, row, size))
            for row in study.rows
        ]
        if study.regression and (fitted := ridge_recipe(size)):
            models.append((LINEAR, {"name": "coarse_pixels"}, fitted))
        for title, model, recipe in models:
            for seed in range(study.seeds):
                spec = {
                    "chapter": None,
                    "preset": "small",
                    "model": model,
                    "data": {**data, "train_size": None if size == training else size},
                    "recipe": recipe,
                    "seed": seed,
                    **_METRIC.get(study.kind, {}),
                }
                yield StudyRun(title, size, seed, validate(spec))


def _size_of(study: Study, asked: int | str, classes: int, training: int) -> int:
    """Return a number of training pictures that a study asks for; raises as `study_runs`."""
    size = training if asked == "all" else int(asked)
    if size > training:
        raise ValueError(
            f"train_sizes: {size} are more than the {training} pictures for training; give at "
            "most so many, or all"
        )
    if size < classes:
        raise ValueError(
            f"train_sizes: {size} pictures are fewer than the {classes} "
            f"{'labels' if study.kind == 'multilabel' else 'classes'}; give at least one of each"
        )
    if study.regression and size < FEWEST_SCORED:
        raise ValueError(
            f"train_sizes: from {size} pictures no score can be learned; give at least "
            f"{FEWEST_SCORED}"
        )
    return size


def recipe_of(study: Study, row: Row, size: int) -> dict[str, Any]:
    """Return the recipe of a row for a number of training pictures, unchecked.

    Raises
    ------
    ValueError
        If it gives both epochs and steps, or steps that are no positive number, or measures other
        pictures than those for testing.
    """
    crop = {"kind": "random", "size": study.pictures.crop, "flip": study.pictures.flip}
    asked = merge(merge({}, study.recipe), row.recipe)
    refuse_other_split(row.title, asked, "the pictures for testing")
    steps = asked.pop("steps", None)
    if steps is not None and "epochs" in asked:
        raise ValueError(f"recipe of {row.title}: give epochs or steps, not both")
    recipe = merge({**DEFAULT_RECIPE, "crop": crop}, asked)
    batch = recipe.setdefault("batch_size", min(BATCH, size))
    if "epochs" not in recipe:
        steps = STEPS if steps is None else steps
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
            raise ValueError(f"recipe of {row.title}: steps must be a positive integer: {steps!r}")
        whole = recipe.get("drop_last", True)
        each = size // batch if whole else -(-size // batch)
        recipe["epochs"] = max(1, -(-steps // max(1, each)))
    return recipe


def refuse_other_split(title: str, recipe: Mapping[str, Any], tested: str) -> None:
    """Refuse a recipe of a row that measures other examples than the report is of.

    Parameters
    ----------
    title : str
        Of the row.
    recipe : mapping
        Unchecked.
    tested : str
        What the report is of.

    Raises
    ------
    ValueError
        Naming the row and what it measures.
    """
    measured = recipe.get("evaluation")
    if isinstance(measured, dict) and measured.get("split", "test") != "test":
        raise ValueError(
            f"recipe of {title}: evaluation.split is {measured['split']!r}, and the report of a "
            f"study is of {tested}: leave it out"
        )
