"""What a person finds in MLflow's pages: kinds, descriptions, data, and results that were moved."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.audit import audit
from pipelines.tracking import Tracker, descriptions, lines, store, views
from pipelines.tracking.cross_validations import CrossValidation, log_cross_validation
from pipelines.tracking.datasets import inputs_of
from pipelines.tracking.experiments import experiment_id
from pipelines.tracking.parameters import chosen, numeric
from structnets.data.prepared.manifest import load_manifest
from structnets.files import write_json
from structnets.identity import run_id

FILES = ("result.json", "curves.csv")


@pytest.fixture
def track(folders: Any, make_spec: Callable[..., Any]) -> Callable[..., str]:
    """Return a maker of tracked runs with small made-up artifacts; it gives their run id."""

    def make(seed: int = 0) -> str:
        spec = make_spec(seed=seed)
        out = folders.results / "runs" / run_id(spec)
        out.mkdir(parents=True)
        for name in FILES:
            (out / name).write_text(name)
        tracker = Tracker.open(
            None, folders.results, "chapter3", run_id(spec), params=chosen(spec), tags={},
            spool=folders.scratch / "runs" / run_id(spec) / "spool", patience=200,
            note=descriptions.of_training(spec, ["figure6/rfnn/n300"]),
        )  # fmt: skip
        tracker.log_inputs(inputs_of(spec, load_manifest(folders.prepared / "mnist")))
        tracker.log_artifacts({name: out / name for name in FILES})
        assert tracker.finish()
        return run_id(spec)

    return make


def test_a_run_says_whose_it_is_and_how_to_make_it_again(
    folders: Any, track: Callable[..., str], logged: Any
) -> None:
    name = track()
    (run,) = logged(folders)
    note = run.data.tags["mlflow.note.content"]
    assert "`figure6`, row `rfnn`, column `n300`" in note
    assert "structnets reproduce figure6 rfnn n300 --seed 0 --preset smoke --run" in note
    assert run.data.tags["run_id"] == name
    assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= run.data.tags.keys()
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40
    assert not any(str(folders.results.parent) in value for value in run.data.tags.values())
    assert not any(value in ("null", "None", "{}", "[]") for value in run.data.params.values())
    assert run.data.params["recipe.optimizer.lr"] == "0.01"
    assert "recipe.clip_norm" not in run.data.params


def test_data_are_inputs_with_digest_and_counts(
    folders: Any, track: Callable[..., str], logged: Any
) -> None:
    track()
    (run,) = logged(folders)
    manifest = load_manifest(folders.prepared / "mnist")
    found = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert found.keys() == {"training", "evaluation"}
    assert found["training"].name == "mnist-n20"
    assert found["evaluation"].digest == manifest["digest"][:36]
    profile = json.loads(found["evaluation"].profile)
    assert profile["of_each_class"] == {"rows": 5, "columns": 5, "both": 5}
    assert str(folders.prepared.parent) not in found["training"].source


def test_experiments_open_in_the_view_of_trainings(folders: Any) -> None:
    uri = store.resolve_uri(None, folders.results)
    client = store.connect(uri, folders.results)
    client.create_experiment("chapter4", tags={"mlflow.note.content": "Mine."})  # an earlier one
    for name in ("chapter3", "chapter4"):
        found = client.get_experiment(experiment_id(client, uri, folders.results, name))
        assert found.tags["mlflow.experimentKind"] == "custom_model_development"
        expected = "Mine." if name == "chapter4" else "Structured receptive fields."
        assert found.tags["mlflow.note.content"].startswith(expected)
        view = json.loads(found.tags["mlflow.sharedViewState.trainings"])
        charts = json.loads(view["state"])["compareRunCharts"]
        assert [chart["metricKey"] for chart in charts][:2] == ["accuracy", "train_loss"]


def test_view_that_is_too_long_for_a_tag_is_none() -> None:
    params = [f"parameter_{number}" for number in range(20)]
    (value,) = views.of_sweep("sweep-1", params, "val_accuracy", 1).values()
    assert len(value) <= views.LONGEST
    assert views.of_sweep("sweep-1", 20 * params, "val_accuracy", 1) == {}


@pytest.mark.parametrize("copied", [False, True])
def test_moved_results_keep_their_artifacts(
    copied: bool, folders: Any, track: Callable[..., str], tmp_path: Path
) -> None:
    name, elsewhere = track(), tmp_path / "else where" / "results"
    (shutil.copytree if copied else shutil.move)(folders.results, elsewhere)
    if copied:
        shutil.rmtree(folders.results / "mlartifacts")
    report = audit(None, elsewhere, None)
    assert (report["checked"], report["missing"], report["differing"]) == (2, [], [])
    client = store.connect(store.resolve_uri(None, elsewhere), elsewhere)
    (run,) = store.all_runs(client, ["chapter3"])
    got = client.download_artifacts(run.info.run_id, "files/result.json", str(tmp_path))
    assert Path(got).read_text() == "result.json"
    (elsewhere / "runs" / name / "result.json").unlink()
    (missing,) = audit(None, elsewhere, None)["missing"]
    assert (missing["artifact"], missing["missing_from"]) == ("result.json", "disk")


def test_folds_lie_below_the_run_of_their_pooled_scores(
    folders: Any, track: Callable[..., str], logged: Any, make_spec: Callable[..., Any]
) -> None:
    names = [track(seed) for seed in range(2)]
    found = CrossValidation(
        make_spec(), "table5/net/accuracy", [*names, "made-elsewhere"], {"accuracy": 81.0}, True
    )
    spool = folders.scratch / "targets" / found.name / "spool"
    for name, ended in zip(names, (1000, 1200), strict=True):
        result = folders.results / "runs" / name / "result.json"
        write_json(result, {"wall_s": 5.0, "train_s": 50.5})
        os.utime(result, (ended, ended))
    for score in (80.0, 81.0):
        found.scores["accuracy"] = score  # type: ignore[index]
        assert log_cross_validation(None, folders.results, found, spool)
    runs = {run.info.run_name: run for run in logged(folders)}
    parent = runs.pop(found.name)
    assert parent.data.metrics["accuracy"] == 81.0
    assert "seed" not in parent.data.params
    assert (parent.info.start_time, parent.info.end_time) == (949_500, 1_200_000)
    assert runs.keys() == set(names)
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([{"sigmas": [1.5, 1.0]}], [{"sigma_1": 1.5, "sigma_2": 1.0}]),
        ([{"orders": [2, 2]}, {"orders": [3, 3]}], [{"order": 2}, {"order": 3}]),
        ([{"orders": [2, 2]}, {"orders": [3, 1]}], [{"order_1": 2, "order_2": 2},
                                                    {"order_1": 3, "order_2": 1}]),
        ([{"scales": 2, "pool": "max"}], [{"scales": 2, "pool": "max"}]),
    ],
)  # fmt: skip
def test_parameters_of_trials_are_numbers(points: Any, expected: Any) -> None:
    assert numeric(points) == expected


def test_a_run_that_never_began_is_still_told(folders: Any, logged: Any) -> None:
    tracker = Tracker.open(
        None, folders.results, "chapter3", "net-mnist-n1-s0-00000000", params={}, tags={},
        spool=folders.scratch / "spool", patience=0, later=True,
    )  # fmt: skip
    assert tracker.finish("FAILED")
    (run,) = logged(folders)
    assert run.info.status == "FAILED"


def test_records_of_an_earlier_version_lose_the_place_of_the_results(
    folders: Any, logged: Any
) -> None:
    tracker = Tracker.open(
        None, folders.results, "chapter3", "net", params={}, tags={},
        spool=folders.scratch / "spool", patience=0, later=True,
    )  # fmt: skip
    line = lines.open_line(
        lines.Identity("chapter3", "run_id", "net"), {}, {}, results=folders.results
    )
    tracker.spool.append(line | {"tags": {"results": str(folders.results)}})
    assert tracker.finish()
    (run,) = logged(folders)
    assert "results" not in run.data.tags
