"""The stage that analyses trained networks, on a tiny run."""

from pipelines import analyse
from structnets.files import read_json
from structnets.identity import canonical_json, run_id
from structnets.specs.figure_options import check_options
from structnets.training.run import run_spec


def test_figure_values_and_links(folders, make_spec, monkeypatch):
    spec = make_spec()
    run = run_id(spec)
    run_spec(spec, folders.prepared / "mnist", folders.results / "runs" / run, folders.scratch)
    logged = []
    monkeypatch.setattr(
        "pipelines.tracking.log_target", lambda *words, **given: logged.append((words, given))
    )
    resolved = {
        "analysis_id": "figure18-smoke-00000000",
        "target": "figure18",
        "chapter": 3,
        "title": "Losses",
        "preset": "smoke",
        "analysis": "training_loss",
        "options": check_options("training_loss", {}, "options"),
        "models": [{"key": "cnn", "label": "CNN", "run_id": run}],
    }
    words = ["--analysis", canonical_json(resolved), *folders.options()]
    assert analyse.main(words) == 0
    found = read_json(folders.results / "analyses" / "figure18.json")
    assert found["values"]["cnn.final_loss"]["n"] == 4
    assert (found["data"], found["hardware"]["class"]) == (["mnist-n20"], "cpu")
    for ending in analyse.ENDINGS:
        assert (folders.results / "figures" / f"figure18.{ending}").stat().st_size
    ((_, given),) = logged
    assert given["run_ids"] == [run]
    assert "analyses-figure18.json" in given["files"]


def test_missing_weights_are_explained(folders, make_spec, capsys):
    run = run_id(make_spec())
    resolved = {
        "analysis_id": "x", "target": "x", "title": "T", "preset": "smoke",
        "analysis": "training_loss", "options": {},
        "models": [{"key": "cnn", "label": "CNN", "run_id": run}],
    }  # fmt: skip
    assert analyse.main(["--analysis", canonical_json(resolved), *folders.options()]) == 1
    assert "spec.json is missing: an analysis needs the weights" in capsys.readouterr().err
