"""Sweeps: which trials a preset runs, and how they are named."""

import copy
import json

import pytest

from structnets import identity
from structnets.specs.spec import validate
from structnets.specs.sweep import (
    load_sweep,
    resolve_sweep,
    sweep_id,
    trial_specs,
    trials,
)
from structnets.specs.target import load_targets
from structnets.specs.validation import load_yaml
from tests.made_results import WORKFLOW

FILE = WORKFLOW / "targets" / "sweep_rfnn_basis.yaml"


@pytest.fixture
def content():
    return copy.deepcopy(load_yaml(FILE))


@pytest.fixture
def sweep(content):
    return load_sweep(content, FILE.name)


def test_grid_is_the_whole_product_without_repetition(sweep):
    models = [identity.canonical_json(trial["model"]) for trial in trials(sweep, "paper")]
    assert len(models) == len(set(models)) == 4 * (3 * 2 * 2) * 2


def test_trials_are_valid_specs_that_differ_in_the_model_only(sweep):
    for trial in trials(sweep, "small"):
        assert validate(trial) == trial
        assert {**trial, "model": None} == {**trials(sweep, "small")[0], "model": None}


def test_larger_sample_contains_the_smaller(content):
    content["presets"]["small"] = {"samples": 16}
    sweep = load_sweep(content, FILE.name)
    smoke, small = (resolve_sweep(sweep, preset)["points"] for preset in ("smoke", "small"))
    assert small[: len(smoke)] == smoke
    assert (len(smoke), len(small)) == (4, 16)


def test_trials_never_see_the_test_set(sweep):
    for preset in sweep.presets:
        assert all(
            t["recipe"]["evaluation"]["split"] == "validation" for t in trials(sweep, preset)
        )


def test_smoke_is_tiny(sweep):
    assert {t["recipe"]["epochs"] for t in trials(sweep, "smoke")} == {2}
    assert {t["data"]["name"] for t in trials(sweep, "smoke")} == {"digits"}


def test_title_does_not_enter_the_id_but_the_seed_does(content, sweep):
    name = sweep_id(sweep, "small")
    assert name.startswith("sweep_rfnn_basis-small-")
    assert sweep_id(load_sweep({**content, "title": "other"}, "x"), "small") == name
    assert sweep_id(load_sweep({**content, "seed": 1}, "x"), "small") != name


def test_later_search_tries_the_same_points_with_later_seeds(sweep):
    first, later = (resolve_sweep(sweep, "smoke", None, offset) for offset in (0, 2))
    assert first == resolve_sweep(sweep, "smoke")
    assert first["points"] == later["points"], "though smoke draws its points by the seed"
    assert (first["seed"], later["seed"]) == (0, 2)
    assert {spec["seed"] for spec in trial_specs(later)} == {2}
    assert first["sweep_id"] != later["sweep_id"]


def test_trials_follow_from_the_resolved_sweep_alone(sweep):
    assert trial_specs(resolve_sweep(sweep, "small")) == trials(sweep, "small")


@pytest.mark.parametrize("preset", ["smoke", "small", "paper"])
def test_ids_follow_from_resolved_sweeps_alone(preset):
    for sweep in load_targets(WORKFLOW / "targets").sweeps.values():
        if preset in sweep.presets:
            resolved = json.loads(json.dumps(resolve_sweep(sweep, preset)))
            assert resolved["sweep_id"] == identity.sweep_id(resolved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": [{"option": "orders"}]}, "needs either choices or product"),
        ({"space": [{"option": "orders", "choices": []}]}, "has no values"),
        ({"asha": {"grace": 1}}, "asha.grace: unknown key; allowed here: grace_epochs"),
        ({"budget": 3}, "budget: unknown key; allowed here: target, interpretations, kind"),
    ],
)
def test_mistake_is_named(content, change, message):
    with pytest.raises(ValueError, match="is not valid") as caught:
        load_sweep({**content, **change}, "sweep.yaml")
    assert message in str(caught.value)


def test_ranking_on_the_test_set_is_refused(content):
    content["recipe"]["evaluation"] = {"split": "test"}
    content["presets"] = {"small": {}}
    with pytest.raises(ValueError, match=r"evaluation\.split must be 'validation'"):
        trials(load_sweep(content, "sweep.yaml"), "small")


def test_trials_without_epochs_are_refused(content):
    content["recipe"] = {"kind": "closed_form", "classifier": "pca", "grid": [2]}
    content["presets"] = {"small": {}}
    with pytest.raises(ValueError, match=r"recipe\.kind must be 'gradient'"):
        trials(load_sweep(content, "sweep.yaml"), "small")


def test_unknown_preset_lists_the_known(content):
    content["presets"] = {"small": {}}
    with pytest.raises(ValueError, match="no preset 'paper'; allowed: small"):
        sweep_id(load_sweep(content, "sweep.yaml"), "paper")
