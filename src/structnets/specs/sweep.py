"""Sweeps: searches over a model's options, and the trials they consist of.

A sweep file (``workflow/targets/<target>.yaml`` of kind ``sweep``) is an experiment with a search
space. Its trials are ordinary resolved specs, ranked on a validation split of the training subset.
Which trials a preset runs follows from the file alone: the whole grid, or a seeded sample of it.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from structnets import identity
from structnets.specs.experiment import Contents, Experiment, merge, resolve
from structnets.specs.resolved import GradientSpec, Option, Preset, ResolvedSweep
from structnets.specs.target_file import TargetFile
from structnets.specs.validation import Strict, checked


class Axis(Strict):
    """One model option and the values it takes."""

    option: str = Field(description="The axis is this option of the model's constructor.")
    choices: list[Option] | None = Field(
        default=None, description="The option takes each of these values; null: `product` is given."
    )
    product: list[list[float]] | None = Field(
        default=None,
        description="Each layer has one list of values, and all combinations are taken; null: "
        "`choices` is given.",
    )

    @model_validator(mode="after")
    def _one_of(self) -> Axis:
        if (self.choices is None) == (self.product is None):
            raise ValueError(f"axis {self.option!r} needs either choices or product")
        if not self.values():
            raise ValueError(f"axis {self.option!r} has no values")
        return self

    def values(self) -> list[Any]:
        """List the values, in the order of the file."""
        if self.product is not None:
            return [list(combination) for combination in itertools.product(*self.product)]
        return list(self.choices or [])


class TrialPicture(Strict):
    """How the trials are drawn.

    ``layers``: order against sigma, a panel per layer; ``grid``: one option against another;
    ``pareto``: accuracy against parameters and seconds per step.
    """

    kind: Literal["layers", "grid", "pareto"] = Field(
        description="The trials are drawn as this kind of picture: layers, grid or pareto."
    )
    x: str | None = Field(
        default=None,
        description="In a grid, this option is the horizontal axis; in a pareto, colours tell "
        "its values apart.",
    )
    y: str | None = Field(
        default=None,
        description="In a grid, this option is the vertical axis; in a pareto, its values are "
        "written beside the points.",
    )

    @model_validator(mode="after")
    def _named(self) -> TrialPicture:
        if (self.kind == "layers") != (self.x is None and self.y is None):
            raise ValueError("x and y belong to the kinds grid and pareto, which need both")
        return self


class Asha(Strict):
    """Asynchronous successive halving: poor trials stop early."""

    grace_epochs: int = Field(
        ge=1, description="No trial is stopped before it has been trained for so many epochs."
    )
    reduction_factor: int = Field(
        default=3, ge=2, description="At each halving, one trial in so many is trained further."
    )


class SweepPreset(Strict):
    """What a preset changes."""

    samples: int | None = Field(
        default=None,
        ge=1,
        description="So many points are drawn from the grid; null: all of it is run.",
    )
    asha: Asha | None = Field(
        default=None,
        description="This early stopping takes the place of the sweep's; null: the sweep's is "
        "taken.",
    )
    space: list[Axis] | None = Field(
        default=None,
        description="These axes take the place of the sweep's; null: the sweep's are taken.",
    )
    overrides: dict[str, Any] = Field(
        default={}, description="These overrides are laid over the experiment."
    )


class Sweep(TargetFile):
    """One sweep file."""

    kind: Literal["sweep"] = Field(description="A sweep is a search over a model's options.")
    chapter: int | None = Field(
        default=None,
        ge=3,
        le=6,
        description="The file belongs to this chapter of the thesis; null: it is one's own.",
    )
    title: str = Field(description="The title is one line of words and is shown above the figure.")
    caption: str = Field(description="The caption says what is shown.")
    model: dict[str, Any] = Field(
        description="The model has a name and options, as `model` of a spec (spec.json)."
    )
    data: dict[str, Any] = Field(
        description="The data set has a name and a number of training images, as `data` of a "
        "spec (spec.json)."
    )
    recipe: dict[str, Any] = Field(
        description="The training is described as `recipe` of a spec (spec.json)."
    )
    metric: str = Field(default="accuracy", description="The trials are ranked by this metric.")
    seed: int = Field(
        default=0,
        ge=0,
        description="The trials are trained with this seed, and points are drawn from the grid "
        "with it.",
    )
    space: list[Axis] = Field(min_length=1, description="The grid is the product of these axes.")
    asha: Asha = Field(description="Poor trials are stopped early in this way.")
    figure: TrialPicture = Field(description="The trials are drawn in this way.")
    presets: dict[Preset, SweepPreset] = Field(
        description="Each preset may change the sweep; one that is not named cannot be run."
    )


def load_sweep(content: Any, name: str) -> Sweep:
    """Validate the parsed YAML of a sweep file called `name`.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    return checked(Sweep, content, name)


def resolve_sweep(
    sweep: Sweep, preset: str, contents: Contents | None = None, offset: int = 0
) -> ResolvedSweep:
    """Resolve a sweep for one preset to the plain JSON its stage runs.

    Parameters
    ----------
    sweep : Sweep
        The checked sweep file.
    preset : {'smoke', 'small', 'paper'}
        Its overrides are merged last.
    contents : callable, optional
        Tells which content the user's own data have.
    offset : int
        The seed of the trials is higher by this number than the file's; the points are the same.

    Returns
    -------
    dict
        ``sweep_id``, ``title``, ``figure``, ``name``, ``preset``, ``metric``, ``seed``, ``asha``;
        ``base``, the resolved spec all trials share; ``points``, one dict of model options per
        trial.

    Raises
    ------
    ValueError
        If the sweep lacks the preset, or its trials are not trained by gradients and ranked on a
        validation split.
    """
    if preset not in sweep.presets:
        allowed = ", ".join(sweep.presets)
        raise ValueError(f"sweep {sweep.target} has no preset {preset!r}; allowed: {allowed}")
    chosen = sweep.presets[preset]  # type: ignore[index]
    content = {key: getattr(sweep, key) for key in ("chapter", "model", "data", "recipe", "metric")}
    experiment = Experiment(**content, presets={preset: chosen.overrides})  # type: ignore[dict-item]
    base = resolve(experiment.with_contents(contents), preset, sweep.seed + offset)
    if base["recipe"]["kind"] != "gradient":
        raise ValueError(f"sweep {sweep.target}: recipe.kind must be 'gradient', which has epochs")
    if base["recipe"]["evaluation"]["split"] != "validation":
        raise ValueError(f"sweep {sweep.target}: recipe.evaluation.split must be 'validation'")
    resolved = {
        "name": sweep.target,
        "preset": preset,
        "metric": sweep.metric,
        "seed": sweep.seed + offset,
        "asha": (chosen.asha or sweep.asha).model_dump(mode="json"),
        "base": base,
        "points": _points(chosen.space or sweep.space, sweep.seed, chosen.samples),
    }
    shown = {"title": sweep.title, "figure": sweep.figure.model_dump(mode="json")}
    whole = {"sweep_id": identity.sweep_id(resolved), **shown, **resolved}
    return cast("ResolvedSweep", whole)


def sweep_id(sweep: Sweep, preset: str) -> str:
    """Return ``<name>-<preset>-<digest8>``; title and caption do not enter the digest."""
    return resolve_sweep(sweep, preset)["sweep_id"]


def trials(sweep: Sweep, preset: str) -> list[GradientSpec]:
    """List the resolved specs of the trials a preset runs, in a fixed order."""
    return trial_specs(resolve_sweep(sweep, preset))


def trial_specs(resolved: ResolvedSweep) -> list[GradientSpec]:
    """List the resolved specs of the trials of a `resolve_sweep` result, in the order of points."""
    options = [{"model": {"options": point}} for point in resolved["points"]]
    return [cast("GradientSpec", merge(resolved["base"], changed)) for changed in options]


def _points(space: list[Axis], seed: int, samples: int | None) -> list[dict[str, Option]]:
    """Return the grid, or the first of its points in an order drawn by digest.

    The draw needs no random generator, so that it is the same under every version of Python, and
    a larger sample contains the smaller one.
    """
    options = [axis.option for axis in space]
    grid = [
        dict(zip(options, values, strict=True))
        for values in itertools.product(*(axis.values() for axis in space))
    ]
    if samples is None or samples >= len(grid):
        return grid
    return sorted(grid, key=lambda point: identity.digest([seed, point]))[:samples]
