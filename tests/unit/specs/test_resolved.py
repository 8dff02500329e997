"""The types of resolved specs are those of the models that check them."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest
from pydantic import BaseModel

from structnets.specs import experiment, recipe, resolved, spec, sweep
from structnets.specs.analysis import load_models_experiments, resolve_analysis
from structnets.specs.sweep import resolve_sweep
from structnets.specs.target import load_targets
from structnets.specs.validation import load_yaml
from tests.made_results import WORKFLOW

# Each checking model and the type of its JSON. `Spec` is one of three, by its recipe.
PAIRS: dict[type[BaseModel], Any] = {
    spec.ModelSpec: resolved.ModelSettings,
    spec.DataSpec: resolved.DataSettings,
    recipe.Adadelta: resolved.AdadeltaSettings,
    recipe.Sgd: resolved.SgdSettings,
    recipe.Adam: resolved.AdamSettings,
    recipe.Constant: resolved.ConstantSettings,
    recipe.Linear: resolved.LinearSettings,
    recipe.Step: resolved.StepSettings,
    recipe.Factors: resolved.FactorsSettings,
    recipe.Augmentation: resolved.AugmentationSettings,
    recipe.Crop: resolved.CropSettings,
    recipe.Boundaries: resolved.BoundarySettings,
    recipe.Evaluation: resolved.EvaluationSettings,
    recipe.GradientRecipe: resolved.GradientSettings,
    recipe.ClosedFormRecipe: resolved.ClosedFormSettings,
    recipe.RidgeRecipe: resolved.RidgeSettings,
    sweep.Asha: resolved.AshaSettings,
    sweep.TrialPicture: resolved.DrawingSettings,
}


def as_json(hint: Any) -> Any:
    """The type of what a field of a checking model is written as."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return PAIRS[hint]
    parts = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return Union[tuple(as_json(part) for part in parts)]  # noqa: UP007 - of a tuple
    if get_origin(hint) is tuple:
        (item,) = {as_json(part) for part in parts}
        return list[item]
    if get_origin(hint) in (list, dict):
        return get_origin(hint)[tuple(as_json(part) for part in parts)]
    return hint


@pytest.mark.parametrize("model", PAIRS, ids=lambda model: model.__name__)
def test_types_have_the_keys_and_values_of_the_models(model):
    checked = {key: as_json(hint) for key, hint in get_type_hints(model).items()}
    assert get_type_hints(PAIRS[model]) == {key: checked[key] for key in model.model_fields}


def test_specs_have_the_keys_and_values_of_the_model():
    checked = {key: as_json(hint) for key, hint in get_type_hints(spec.Spec).items()}
    checked = {key: checked[key] for key in spec.Spec.model_fields}
    either = [get_type_hints(kind) for kind in get_args(resolved.ResolvedSpec)]
    kinds = Union[tuple(hints["recipe"] for hints in either)]  # noqa: UP007 - of a tuple
    assert all({**hints, "recipe": kinds} == checked for hints in either)


def test_every_model_has_its_type():
    models = {
        value
        for room in (spec, recipe)
        for value in vars(room).values()
        if isinstance(value, type) and issubclass(value, BaseModel)
    }
    assert {model for model in models if model.__module__ != "structnets.specs.validation"} == {
        spec.Spec,
        *(model for model in PAIRS if model.__module__ != sweep.__name__),
    }


@pytest.mark.parametrize(
    "narrow", [resolved.ShardSettings, resolved.DetectionSettings], ids=lambda kind: kind.__name__
)
def test_recipes_of_one_form_are_recipes(narrow):
    assert get_type_hints(narrow).keys() == get_type_hints(resolved.GradientSettings).keys()


def fits(value: Any, hint: Any) -> bool:
    """Say whether plain JSON is of a type."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is list:
        return isinstance(value, list) and all(fits(item, parts[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            fits(key, parts[0]) and fits(item, parts[1]) for key, item in value.items()
        )
    if is_typeddict(hint):
        hints, stated = get_type_hints(hint), get_type_hints(hint, include_extras=True)
        needed = {key for key, part in stated.items() if get_origin(part) is not NotRequired}
        return (
            isinstance(value, dict)
            and needed <= value.keys() <= hints.keys()
            and all(fits(value[key], part) for key, part in hints.items() if key in value)
        )
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, hint) and (hint is not int or not isinstance(value, bool))


def committed_specs() -> Iterator[dict[str, Any]]:
    for path in sorted((WORKFLOW / "experiments").glob("*/*.yaml")):
        if not path.name.startswith("sweep_"):
            loaded = experiment.load_experiment(load_yaml(path), path.name)
            yield from (experiment.resolve(loaded, preset, 0) for preset in loaded.presets)


def test_committed_experiments_resolve_to_the_type():
    specs = list(committed_specs())
    assert {found["recipe"]["kind"] for found in specs} == {"gradient", "closed_form"}
    assert all(fits(found, resolved.ResolvedSpec) for found in specs)
    broken = {**specs[0], "recipe": {**specs[0]["recipe"], "kind": "evolution"}}
    assert not fits(broken, resolved.ResolvedSpec)


def test_sweeps_and_analyses_resolve_to_their_types():
    targets = load_targets(WORKFLOW / "targets")
    sweeps = targets.sweeps.values()
    assert all(fits(resolve_sweep(s, p), resolved.ResolvedSweep) for s in sweeps for p in s.presets)
    analyses = targets.analyses.values()
    experiments = load_models_experiments(WORKFLOW / "experiments", analyses)
    assert sweeps
    assert analyses
    for analysis in analyses:
        for preset in analysis.presets:
            asked = resolve_analysis(analysis, experiments, preset)
            assert fits(asked, resolved.ResolvedAnalysis), json.dumps(asked)
            again = resolve_analysis(analysis, experiments, preset, 1)
            assert fits(again, resolved.ResolvedAnalysis)


def test_types_need_the_standard_library_alone():
    code = "import sys, structnets.specs.resolved; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
