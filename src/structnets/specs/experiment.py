"""Experiments: what rows of tables share, and how one resolves into the spec of a run.

An experiment file (``workflow/experiments/<chapter>/*.yaml``) holds a model, a data set and a
recipe, with overrides per preset. A table adds overrides per row and column, which are laid over
the experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from structnets.specs.resolved import Preset, ResolvedSpec
from structnets.specs.spec import validate
from structnets.specs.validation import Strict, checked

Contents = Callable[[Mapping[str, Any]], str | None]
"""Given the ``data`` object of a spec, the digest of the user's own files; None for other data."""


class Resources(Strict):
    """What a training is given on a cluster; no part of its spec, which says what it computes."""

    size: Literal["small", "medium", "large"] = Field(
        default="medium",
        description="The training has the memory and time of this size class, which `sizes` of "
        "the configuration sets.",
    )
    nodes: int = Field(
        default=1,
        ge=1,
        description="The workers are spread over so many machines, no more than there are workers.",
    )


class Experiment(Strict):
    """One experiment file: what rows of tables share."""

    chapter: int | None = Field(
        default=None,
        ge=3,
        le=6,
        description="The file belongs to this chapter of the thesis; null: it is one's own.",
    )
    model: dict[str, Any] = Field(
        description="The model has a name and options, as `model` of a spec (spec.json)."
    )
    data: dict[str, Any] = Field(
        description="The data set has a name and a number of training images, as `data` of a "
        "spec (spec.json)."
    )
    recipe: dict[str, Any] = Field(
        description="The training is described as `recipe` of a spec (spec.json); its `kind` is "
        "gradient where none is given."
    )
    metric: str = Field(default="accuracy", description="This metric is reported.")
    presets: dict[Preset, dict[str, Any]] = Field(
        description="These overrides are merged last, by preset; a preset that is not named "
        "cannot be run."
    )
    resources: dict[Preset, Resources] = Field(
        default={}, description="On a cluster, a training has these resources, by preset."
    )
    _contents: Contents | None = PrivateAttr(default=None)

    def with_contents(self, contents: Contents | None) -> Experiment:
        """Return this experiment, whose specs say which content the user's own data have."""
        copy = self.model_copy()
        copy._contents = contents
        return copy

    def content_of(self, data: Mapping[str, Any]) -> str | None:
        """Return the digest of the user's own files that `data` asks for, where it is known."""
        return self._contents(data) if self._contents and "name" in data else None


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
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


def _other_kind(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any(key in new and key in old and new[key] != old[key] for key in ("name", "kind"))


def load_experiment(content: Any, name: str, contents: Contents | None = None) -> Experiment:
    """Validate the parsed YAML of an experiment file called `name`."""
    return checked(Experiment, content, name).with_contents(contents)


def resolve(
    experiment: Experiment,
    preset: str,
    seed: int,
    *overrides: Mapping[str, Any],
) -> ResolvedSpec:
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
    if content := experiment.content_of(spec["data"]):
        spec = merge(spec, {"data": {"prepare": {"content": content}}})
    return validate({**spec, "preset": preset, "seed": seed})
