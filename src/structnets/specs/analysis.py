"""Analyses: figures that need trained weights, and the runs they are made from.

An analysis file (``workflow/targets/<target>.yaml`` of kind ``analysis``) names a kind of figure of
`structnets.figures.entries`, its options, and the models it looks at: experiments with
overrides, as rows of tables, so that a run made for a table serves a figure too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from structnets import identity
from structnets.figures.entries import FIGURES
from structnets.specs.experiment import Contents, Experiment, load_experiment, resolve
from structnets.specs.figure_options import check_models, check_options
from structnets.specs.resolved import AnalysedRun, Preset, ResolvedAnalysis, ResolvedSpec
from structnets.specs.table import ThesisValue
from structnets.specs.target_file import TargetFile
from structnets.specs.validation import Strict, load_yaml


class AnalysedModel(Strict):
    """One trained network."""

    key: str = Field(pattern=r"^[a-z0-9_]+$", description="This short name is unique in the file.")
    label: str = Field(description="The network is called this on the figure.")
    experiment: str = Field(
        description="The experiment file has this path, relative to the folder of experiments."
    )
    overrides: dict[str, Any] = Field(
        default={}, description="These overrides are laid over the experiment."
    )
    seed: int = Field(default=0, ge=0, description="The network is trained with this seed.")


class AnalysisPreset(Strict):
    """What a preset changes."""

    options: dict[str, Any] = Field(
        default={}, description="These options are laid over those of the file."
    )
    models: list[AnalysedModel] | None = Field(
        default=None,
        description="These models take the place of the file's; null: the file's are taken.",
    )


class Analysis(TargetFile):
    """One analysis file."""

    kind: Literal["analysis"] = Field(
        description="An analysis is a figure of trained networks, with its numbers."
    )
    chapter: int | None = Field(
        default=None,
        ge=3,
        le=6,
        description="The file belongs to this chapter of the thesis; null: it is one's own.",
    )
    title: str = Field(description="The title is one line of words and is shown above the figure.")
    caption: str = Field(description="The caption says what is shown and how it was measured.")
    analysis: str = Field(
        description="This is the name of a kind of figure: one of structnets.figures.entries, "
        "one of the entry points of an installed package, or package.module:object.",
        json_schema_extra={"examples": [*FIGURES.names()]},
    )
    models: list[AnalysedModel] = Field(
        default=[], description="The weights of these models are looked at."
    )
    options: dict[str, Any] = Field(
        default={},
        description="The figure has these options; those it takes are listed by options.py in "
        "its folder of structnets/figures.",
    )
    thesis: dict[str, float | ThesisValue] = Field(
        default={}, description="The thesis has these values, by the name of the measured value."
    )
    reported: list[str] = Field(
        default=["*"],
        description="RESULTS.md shows the measured values of these names, in which * is any run "
        "of characters.",
    )
    presets: dict[Preset, AnalysisPreset] = Field(
        description="Each preset may change options and models; one that is not named cannot be "
        "made."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Analysis:
        for preset, chosen in self.presets.items():
            place = f"presets.{preset}"
            check_options(self.analysis, {**self.options, **chosen.options}, f"{place}.options")
            models = self.models_of(preset)
            check_models(self.analysis, len(models), place)
            if len({model.key for model in models}) < len(models):
                raise ValueError(f"{place}: model keys must be unique")
        return self

    def models_of(self, preset: Preset) -> list[AnalysedModel]:
        """Return the models that a preset looks at."""
        own = self.presets[preset].models
        return self.models if own is None else own

    def shifted(self, offset: int) -> Analysis:
        """Return the same analysis of networks whose seeds are higher by `offset`."""

        def later(models: list[AnalysedModel]) -> list[AnalysedModel]:
            return [one.model_copy(update={"seed": one.seed + offset}) for one in models]

        presets = {
            preset: chosen.model_copy(update={"models": chosen.models and later(chosen.models)})
            for preset, chosen in self.presets.items()
        }
        return self.model_copy(update={"models": later(self.models), "presets": presets})

    def thesis_value(self, name: str) -> float | None:
        """Return the number the thesis gives for a measured value."""
        value = self.thesis.get(name)
        return value.value if isinstance(value, ThesisValue) else value

    def thesis_note(self, name: str) -> str | None:
        """Return what is to be said about the thesis value."""
        value = self.thesis.get(name)
        return value.note if isinstance(value, ThesisValue) else None


def load_models_experiments(
    directory: Path, analyses: Iterable[Analysis], contents: Contents | None = None
) -> dict[str, Experiment]:
    """Read the experiment files that the models of some analyses name.

    Raises
    ------
    FileNotFoundError
        If a model names a file that is not there.
    ValueError
        If a file is not valid.
    """
    found: dict[str, Experiment] = {}
    for analysis in analyses:
        for model in (m for preset in analysis.presets for m in analysis.models_of(preset)):
            path = directory / model.experiment
            if model.experiment in found:
                continue
            if not path.is_file():
                raise FileNotFoundError(
                    f"{path}, named by {analysis.target}.{model.key}, is missing"
                )
            found[model.experiment] = load_experiment(load_yaml(path), str(path), contents)
    return found


def model_specs(
    analysis: Analysis, experiments: Mapping[str, Experiment], preset: str
) -> dict[str, ResolvedSpec]:
    """Resolve the spec of every model of an analysis, by the model's key.

    Raises
    ------
    ValueError
        If the analysis lacks the preset, or a merged spec is not valid; it names the model.
    """
    if preset not in analysis.presets:
        allowed = ", ".join(analysis.presets)
        raise ValueError(f"{analysis.target} has no preset {preset!r}; allowed: {allowed}")
    specs = {}
    for model in analysis.models_of(preset):  # type: ignore[arg-type]
        experiment = experiments[model.experiment]
        try:
            specs[model.key] = resolve(experiment, preset, model.seed, model.overrides)
        except ValueError as error:
            raise ValueError(f"{analysis.target}, model {model.key}: {error}") from error
    return specs


def resolve_analysis(
    analysis: Analysis, experiments: Mapping[str, Experiment], preset: str, repeat: int = 0
) -> ResolvedAnalysis:
    """Resolve an analysis for one preset to the plain JSON its stage works on.

    Parameters
    ----------
    analysis : Analysis
        The checked file.
    experiments : mapping of str to Experiment
        From `load_models_experiments`.
    preset : {'smoke', 'small', 'paper'}
        Its options are merged last.
    repeat : int
        How often this was measured before. Only what looks at no networks (times of steps) is asked
        again so; of networks, others are looked at (`Analysis.shifted`).

    Returns
    -------
    dict
        ``analysis_id, target, chapter, title, caption, preset, analysis, options`` (every default
        filled in) and ``models``, a list of ``key, label, run_id``; ``repeat`` where it counts.

    Raises
    ------
    ValueError
        As `model_specs`.
    """
    specs = model_specs(analysis, experiments, preset)
    chosen = analysis.presets[preset]  # type: ignore[index]
    models: list[AnalysedRun] = [
        {"key": model.key, "label": model.label, "run_id": identity.run_id(specs[model.key])}
        for model in analysis.models_of(preset)  # type: ignore[arg-type]
    ]
    resolved = {
        "target": analysis.target,
        "chapter": analysis.chapter,
        "title": analysis.title,
        "caption": analysis.caption,
        "preset": preset,
        "analysis": analysis.analysis,
        "options": check_options(
            analysis.analysis, {**analysis.options, **chosen.options}, analysis.target
        ),
        "models": models,
        **({"repeat": repeat} if repeat and not models else {}),
    }
    whole = {"analysis_id": identity.analysis_id(resolved), **resolved}
    return cast("ResolvedAnalysis", whole)
