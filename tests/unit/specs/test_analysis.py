"""Analysis files: what they resolve to, and what is refused."""

import copy
import json

import pytest
import yaml

from structnets import identity
from structnets.figures.entries import FIGURES
from structnets.specs.analysis import (
    Analysis,
    load_models_experiments,
    model_specs,
    resolve_analysis,
)
from structnets.specs.target import load_analysis, load_targets
from structnets.specs.validation import checked, load_yaml
from tests.made_results import WORKFLOW, floor

FOLDER = WORKFLOW / "targets"


@pytest.fixture(scope="module")
def analyses():
    return load_targets(FOLDER).analyses


@pytest.fixture(scope="module")
def experiments(analyses):
    return load_models_experiments(WORKFLOW / "experiments", analyses.values())


@pytest.fixture
def content():
    return copy.deepcopy(load_yaml(FOLDER / "figure22.yaml"))


def test_every_figure_that_needs_weights_is_there(analyses):
    numbers = {f"figure{n}" for n in (2, 5, 10, 11, 14, 15, 18, 19, 20, 21, 22)}
    assert set(analyses) == numbers | {
        "class_kept", "inversion_error", "stability", "training_memory",
        "runtime_frames", "runtime_irevnet", "demo_outlines",
    }  # fmt: skip
    measured = {name for name in FIGURES.names() if not FIGURES.find(name).drawn}
    assert {analysis.analysis for analysis in analyses.values()} == measured


@pytest.mark.parametrize("preset", ["smoke", "small", "paper"])
def test_committed_files_resolve_in_every_preset(analyses, experiments, preset):
    for analysis in analyses.values():
        if analysis.target == "demo_outlines" and preset != "smoke":
            continue  # the demo's own
        resolved = resolve_analysis(analysis, experiments, preset)
        assert resolved["analysis_id"].startswith(f"{analysis.target}-{preset}-")
        assert identity.analysis_id(json.loads(json.dumps(resolved))) == resolved["analysis_id"]
        specs = model_specs(analysis, experiments, preset)
        assert [model["key"] for model in resolved["models"]] == list(specs)


def test_shifted_analysis_looks_at_networks_of_later_seeds(analyses, experiments):
    one = analyses["figure21"]
    first, later = (model_specs(one.shifted(n), experiments, "small") for n in (0, 2))
    assert [spec["seed"] + 2 for spec in first.values()] == [s["seed"] for s in later.values()]
    assert {key: {**spec, "seed": 0} for key, spec in later.items()} == first
    ids = [resolve_analysis(one.shifted(n), experiments, "small")["analysis_id"] for n in (0, 2)]
    assert ids[0] == resolve_analysis(one, experiments, "small")["analysis_id"] != ids[1]


def test_repeat_counts_of_what_looks_at_no_network(analyses, experiments):
    def asked(name, repeat):
        return resolve_analysis(analyses[name], experiments, "small", repeat)

    assert asked("figure21", 1) == asked("figure21", 0), "networks of other seeds are looked at"
    first, again = asked("runtime_frames", 0), asked("runtime_frames", 1)
    assert "repeat" not in first
    assert again["repeat"] == 1
    assert first["analysis_id"] != again["analysis_id"]


def test_runs_are_shared_with_tables(analyses, experiments):
    (model,) = resolve_analysis(analyses["figure2"], experiments, "small")["models"]
    rows = {r.run_id for r in floor("small", "table3", rows=["rfnin"], columns=["cifar10"])}
    assert model["run_id"] in rows


def test_options_and_runs_enter_the_id_and_words_do_not(content, experiments):
    def name(**changes):
        analysis = checked(Analysis, {**content, **changes}, "file")
        return resolve_analysis(analysis, experiments, "small")["analysis_id"]

    first = name()
    assert name(title="other", caption="other", thesis={"x": 1.0}) == first
    assert name(options={**content["options"], "test": 3000}) == first, "small says its own"
    assert name(options={**content["options"], "subset": 500}) != first
    assert name(models=content["models"][:1], options={"subset": 1000}) != first


def test_every_option_is_filled_in(content, experiments):
    resolved = resolve_analysis(checked(Analysis, content, "file"), experiments, "small")
    assert resolved["options"]["batch_size"] == 100
    assert resolved["options"]["train"] == 5000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"figure": 1}, "figure: unknown key; allowed here: target, interpretations, kind"),
        ({"analysis": "spectra"}, "unknown figure 'spectra'.*; allowed: atom_weights"),
        (
            {"analysis": "frame_atoms"},
            "frame_atoms is drawn by code; its target is of kind drawing",
        ),
        (
            {"options": {"trains": 3}},
            "trains: unknown key; allowed here: train, test, classes, subset",
        ),
        ({"models": []}, "separability_by_components takes 1 to 3 models, got 0"),
        ({"presets": {"small": {"options": {"subset": 1}}}}, "greater than or equal to 6"),
        ({"target": "figure23"}, "target is 'figure23'; it must be 'figure22'"),
    ],
)
def test_mistake_is_named(content, tmp_path, change, message):
    path = tmp_path / "figure22.yaml"
    path.write_text(yaml.safe_dump({**content, **change}))
    with pytest.raises(ValueError, match=message):
        load_analysis(path)


def test_missing_experiment_and_preset_are_named(content, experiments, tmp_path):
    analysis = checked(Analysis, {**content, "presets": {"small": {}}}, "file")
    with pytest.raises(FileNotFoundError, match=r"named by figure22\.resnet, is missing"):
        load_models_experiments(tmp_path, [analysis])
    with pytest.raises(ValueError, match="figure22 has no preset 'smoke'; allowed: small"):
        resolve_analysis(analysis, experiments, "smoke")
