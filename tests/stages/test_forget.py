import json

import pytest

from pipelines.forget import belongings, command, forget
from pipelines.report_study import report_study
from pipelines.tracking import Tracker
from structnets.reporting.study_plan import plan_study
from structnets.specs.configuration import Configuration
from tests.made_study import make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = make_study(tmp_path_factory.mktemp("study"), train_sizes=["all"], seeds=1)
    report_study(made.planned, made.prepared.parent, made.results)
    return made


def roots(study):
    return study.results, study.root / "scratch", study.prepared.parent


def memories(study):
    """Return the files that keep checksums, and with them the names of pictures."""
    found = list(study.root.glob("scratch/lists/checksums/*.json"))
    assert found  # with nothing in them while the pictures are two seconds old
    return found


def test_it_names_what_there_is_and_removes_nothing(study, capsys):
    command("stripes", *roots(study), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["runs"], said["removed"], said["mlflow"]) == (2, False, None)
    assert said["bytes"] > 1_000_000
    assert study.run.is_dir()


def test_an_unknown_study_is_refused_with_those_there_are(study):
    with pytest.raises(ValueError, match=r"no study 'strips' has run .* there are: stripes"):
        belongings("strips", *roots(study))


def test_what_another_study_shares_stays(study):
    other = study.root / "other.yaml"
    other.write_text(study.file.read_text().replace("study: stripes", "study: twin"))
    plan_study(Configuration(study=str(other), scratch=str(study.root / "scratch")))
    found = belongings("stripes", *roots(study))
    assert not found.runs
    assert study.prepared not in found.paths
    assert not set(memories(study)) & set(found.paths)
    for path in study.root.glob("scratch/lists/twin.made.json"):
        path.unlink()


def test_a_file_under_whose_name_another_has_run_is_refused(study):
    other = study.root / "other.yaml"
    other.write_text(study.file.read_text())
    with pytest.raises(ValueError, match=r"is of .*study\.yaml, not of .*other\.yaml"):
        command(str(other), *roots(study))


@pytest.mark.slow
def test_all_of_it_is_removed_in_mlflow_too(study, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    results, scratch, prepared = roots(study)
    run = study.planned.runs[0]
    tracker = Tracker.open(
        None,
        results,
        "own",
        run.run_id,
        params=run.spec,
        tags={},
        spool=scratch / "spool",
        patience=200,
    )
    tracker.log_artifacts({"model.pt": study.run / "model.pt"})
    tracker.finish()
    assert list(results.glob("mlartifacts/**/model.pt"))
    found = belongings("stripes", results, scratch, prepared)
    assert set(memories(study)) <= set(found.paths)
    assert forget(found, results) == 1
    assert not any(path.exists() for path in found.paths)
    assert not list(results.glob("mlartifacts/**/model.pt"))
    assert (study.root / "pictures").is_dir()
    assert study.file.is_file()
