"""Specs: the order of merging, defaults, and errors that say what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from structnets import identity
from structnets.data.sets.entries.catalogue import class_count, find_dataset
from structnets.models.registry import create_model, data_options
from structnets.specs.experiment import Experiment, load_experiment, merge, resolve
from structnets.specs.spec import validate
from structnets.specs.sweep import load_sweep, trials
from structnets.specs.validation import load_yaml
from tests.made_results import WORKFLOW

PRESETS = ("smoke", "small", "paper")
RECIPE = {"optimizer": {"name": "adadelta"}, "epochs": 2, "batch_size": 25}
SPEC: dict[str, Any] = {
    "chapter": 3,
    "preset": "small",
    "seed": 0,
    "model": {"name": "rfnn_mnist"},
    "data": {"name": "mnist", "train_size": 300},
    "recipe": RECIPE,
}


def experiment(**changes: Any) -> Experiment:
    shared = {key: SPEC[key] for key in ("chapter", "model", "data", "recipe")}
    return load_experiment({**shared, "presets": {"small": {}}, **changes}, "made.yaml")


EXPERIMENT_FILES = sorted((WORKFLOW / "experiments").glob("*/*.yaml"))
SWEEP_FILES = sorted((WORKFLOW / "targets").glob("sweep_*.yaml"))


@pytest.fixture
def built() -> Callable[[dict[str, Any]], None]:
    """Build the model of a spec for its data set, as a training does."""

    def build(spec: dict[str, Any]) -> None:
        facts = find_dataset(spec["data"]["name"])
        classes = class_count(spec["data"]["name"], spec["data"]["prepare"])
        name = spec["model"]["name"]
        decided = data_options(name, classes, facts.image_shape)
        with torch.device("meta"):
            create_model(name, **decided, **spec["model"]["options"])

    return build


def test_resolving_twice_changes_nothing() -> None:
    resolved = validate(SPEC)
    assert validate(resolved) == resolved


def test_later_layers_win() -> None:
    layers = {"epochs": 1, "batch_size": 1, "clip_norm": 1.0, "amp": "float16"}
    shared = experiment(
        recipe={**RECIPE, **layers}, presets={"small": {"recipe": {"amp": "bfloat16"}}}
    )
    column = {"recipe": {"batch_size": 2, "clip_norm": 2.0, "amp": None}}
    row = {"recipe": {"clip_norm": 3.0, "amp": None}}
    recipe = resolve(shared, "small", 0, column, row)["recipe"]
    assert {key: recipe[key] for key in layers} == {
        "epochs": 1,
        "batch_size": 2,
        "clip_norm": 3.0,
        "amp": "bfloat16",
    }


def test_preset_and_seed_are_those_asked_for() -> None:
    resolved = resolve(experiment(), "small", 7)
    assert (resolved["preset"], resolved["seed"]) == ("small", 7)


def test_overrides_leave_the_experiment_alone() -> None:
    shared = experiment()
    first = resolve(shared, "small", 0, {"recipe": {"optimizer": {"lr": 9.0}}})
    assert first["recipe"]["optimizer"]["lr"] == 9.0
    assert resolve(shared, "small", 0)["recipe"]["optimizer"]["lr"] == 1.0


def test_golden_run_id() -> None:
    """Runs are found by this name; a default that changes orphans what was measured."""
    assert identity.run_id(validate(SPEC)) == "rfnn_mnist-mnist-n300-s0-a6553d6e"


def test_defaults_are_filled() -> None:
    resolved = validate(SPEC)
    assert resolved["metric"] == "accuracy"
    assert resolved["model"] == {"name": "rfnn_mnist", "options": {}}
    recipe = resolved["recipe"]
    assert recipe["kind"] == "gradient"
    assert recipe["optimizer"]["rho"] == 0.95
    assert recipe["schedule"] == {"name": "constant"}
    assert recipe["evaluation"] == {"split": "test", "every": None, "validation_fraction": 0.0}


@pytest.mark.parametrize(
    ("second", "merged"),
    [
        ({"b": {"y": 3}}, {"a": 1, "b": {"name": "n", "x": 1, "y": 3}}),
        ({"b": {"name": "n", "y": 3}}, {"a": 1, "b": {"name": "n", "x": 1, "y": 3}}),
        ({"b": {"name": "m", "y": 3}}, {"a": 1, "b": {"name": "m", "y": 3}}),
        ({"b": None}, {"a": 1, "b": None}),
        ({"a": {"x": 2}}, {"a": {"x": 2}, "b": {"name": "n", "x": 1, "y": 2}}),
    ],
)
def test_merging_by_hand(second: dict[str, Any], merged: dict[str, Any]) -> None:
    first = {"a": 1, "b": {"name": "n", "x": 1, "y": 2}}
    assert merge(first, second) == merged
    assert first == {"a": 1, "b": {"name": "n", "x": 1, "y": 2}}


def test_other_kind_of_recipe_replaces_the_whole() -> None:
    closed = {"kind": "closed_form", "classifier": "pca", "grid": [2]}
    shared = experiment(recipe={"kind": "gradient", **RECIPE})
    recipe = resolve(shared, "small", 0, {"recipe": closed})["recipe"]
    assert "optimizer" not in recipe
    assert recipe["folds"] == 5


def test_other_kind_replaces_a_recipe_that_left_its_kind_out() -> None:
    closed = {"kind": "closed_form", "classifier": "pca", "grid": [2]}
    assert resolve(experiment(), "small", 0, {"recipe": closed})["recipe"]["grid"] == [2.0]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("path", EXPERIMENT_FILES, ids=lambda path: path.stem)
def test_committed_experiment_resolves_and_its_model_builds(
    path: Path, preset: str, built: Callable[[dict[str, Any]], None]
) -> None:
    loaded = load_experiment(load_yaml(path), path.name)
    if preset in loaded.presets:
        built(resolve(loaded, preset, 0))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("path", SWEEP_FILES, ids=lambda path: path.stem)
def test_committed_sweep_resolves_and_its_models_build(
    path: Path, preset: str, built: Callable[[dict[str, Any]], None]
) -> None:
    sweep = load_sweep(load_yaml(path), path.name)
    if preset in sweep.presets:
        specs = trials(sweep, preset)
        assert len({identity.run_id(spec) for spec in specs}) == len(specs)
        for trial in specs[:: max(1, len(specs) // 4)]:
            assert validate(trial) == trial
            built(trial)


@pytest.mark.parametrize(
    ("changes", "place", "allowed"),
    [
        ({"models": 1}, "models", "chapter, preset, model, data, recipe, metric, seed"),
        ({"model": {"name": "cnn_b", "option": {}}}, "model.option", "name, options"),
        ({"data": {"name": "mnist", "n": 3}}, "data.n", "name, prepare, train_size"),
        ({"recipe": {**RECIPE, "epoch": 3}}, "recipe.gradient.epoch", "optimizer, schedule,"),
        (
            {"recipe": {**RECIPE, "optimizer": {"name": "adadelta", "learning_rate": 3}}},
            "recipe.gradient.optimizer.adadelta.learning_rate",
            "name, lr, rho, eps, weight_decay",
        ),
        (
            {"recipe": {**RECIPE, "evaluation": {"when": 2}}},
            "recipe.gradient.evaluation.when",
            "split, every, validation_fraction",
        ),
        (
            {"recipe": {"kind": "closed_form", "classifier": "pca", "grid": [1], "fold": 2}},
            "recipe.closed_form.fold",
            "kind, classifier, folds, grid",
        ),
    ],
)
def test_unknown_key_lists_the_allowed_ones(
    changes: dict[str, Any], place: str, allowed: str
) -> None:
    message = rf"(?m)^  {re.escape(place)}: unknown key; allowed here: .*{re.escape(allowed)}"
    with pytest.raises(ValueError, match=message):
        validate({**SPEC, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "tiny"}, "preset: .*'smoke', 'small' or 'paper'.*'tiny'"),
        ({"seed": -1}, "seed: .*greater than or equal to 0.*-1"),
        ({"model": {"name": "vgg"}}, "model: unknown model 'vgg'; allowed: .*cnn_b"),
        ({"data": {"name": "cifar"}}, "data.name: unknown data set 'cifar' .*allowed: .*mnist"),
        ({"recipe": {**RECIPE, "epochs": 0}}, "epochs: .*greater than or equal to 1.*0"),
        ({"recipe": {**RECIPE, "optimizer": {"name": "rmsprop"}}}, "adadelta', 'sgd', 'adam'"),
        ({"recipe": {**RECIPE, "schedule": {"name": "cosine"}}}, "constant', 'linear', 'step'"),
        ({"recipe": {**RECIPE, "schedule": {"name": "step"}}}, "milestones: Field required"),
        ({"recipe": {**RECIPE, "amp": "float8"}}, "amp: .*'bfloat16' or 'float16'.*'float8'"),
        ({"recipe": {**RECIPE, "kind": "evolution"}}, "'gradient', 'closed_form'"),
        ({"recipe": {**RECIPE, "evaluation": {"split": "validation"}}}, "fraction > 0"),
        ({"recipe": {**RECIPE, "evaluation": {"every": 2}}}, "the test set is read once"),
    ],
)
def test_bad_value_is_named_with_what_is_allowed(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate({**SPEC, **changes})


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)models: .*seed: |seed: .*models: "):
        validate({**SPEC, "models": 1, "seed": -1})


def test_unknown_model_option_lists_the_allowed_ones() -> None:
    model = {"name": "cnn_b", "options": {"kernel_size": 5}}
    with pytest.raises(ValueError, match=r"'kernel_size'.*allowed: .*kernel_sizes"):
        validate({**SPEC, "model": model})


def test_part_of_a_data_set_is_never_called_full() -> None:
    part = {"name": "cifar10", "prepare": {"partial": True}}
    with pytest.raises(ValueError, match="partial data set needs a train_size"):
        validate({**SPEC, "data": part})
    resolved = validate({**SPEC, "data": {**part, "train_size": 1000}})
    assert resolved["data"]["prepare"] == {"partial": True}


def test_a_subset_of_classes_limits_the_training_size() -> None:
    data = {"name": "imagenet", "prepare": {"classes": 10}}
    cropped = {**RECIPE, "crop": {"kind": "random", "size": 224}}
    validate({**SPEC, "data": {**data, "train_size": 13_000}, "recipe": cropped})
    with pytest.raises(ValueError, match="train_size 13001 exceeds the 13000 training images"):
        validate({**SPEC, "data": {**data, "train_size": 13_001}})


def test_unknown_prepare_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown prepare parameter 'side'"):
        validate({**SPEC, "data": {"name": "mnist", "prepare": {"side": 32}}})


def test_empty_grid_is_refused() -> None:
    recipe = {"kind": "closed_form", "classifier": "pca", "grid": []}
    with pytest.raises(ValueError, match="grid: "):
        validate({**SPEC, "recipe": recipe})


def test_preset_the_experiment_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'paper' is not defined .*allowed: small"):
        resolve(experiment(), "paper", 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"made\.yaml is not valid:\n  \(top\): "),
        ({"chapter": 3}, r"made\.yaml is not valid:\n  model: Field required"),
        ({"models": {}}, "models: unknown key; allowed here: chapter, model, data"),
    ],
)
def test_damaged_experiment_is_named(content: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_experiment(content, "made.yaml")
