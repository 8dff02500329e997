import json

import pytest
import yaml

from pipelines.forget import belongings, command, forget
from pipelines.report_study import report_study
from pipelines.tracking import Tracker
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.studies import plan_any_study
from structnets.reporting.study_plan import plan_study
from structnets.specs.configuration import Configuration
from tests.made_cohort_plan import scan_bytes
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


def test_of_a_cohort_registered_scans_and_logs_are_removed_too(tmp_path):
    (tmp_path / "brains").mkdir()
    rows = ["subject,file,d"]
    for number in range(24):
        (tmp_path / f"brains/b{number}.nii").write_bytes(scan_bytes(number))
        rows.append(f"Ann{number},b{number}.nii,{'yes' if number % 2 else 'no'}")
    (tmp_path / "brains/labels.csv").write_text("\n".join(rows))
    content = {"cohort": "brains", "layout": "folder", "label": "d", "classes": ["no", "yes"]}

    def plan(name, **more):
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"study": name, "folds": 5, **content, **more}))
        planned = plan_any_study(Configuration(study=str(file), scratch=str(tmp_path / "scratch")))
        assert isinstance(planned, CohortPlan)
        return planned

    mine = plan("mine")
    scans = mine.request.subjects_name()
    alone = {
        f"results/logs/train/{next(iter(mine.jobs))}.log",
        f"results/logs/benchmarks/{next(iter(mine.jobs))}.tsv",
        f"results/logs/prepare_mri/{mine.prepared}.log",
        "results/logs/report_study/mine.log",
    }
    shared = {f"prepared/subjects/{scans}/Ann0.json", f"results/logs/prepare_mri_subject/{scans}/A"}
    for name in (*alone, *shared, "results/logs/train/train_mine_too_0123abcd.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def found():
        paths = belongings(
            "mine", *(tmp_path / n for n in ("results", "scratch", "prepared"))
        ).paths
        return {str(path.relative_to(tmp_path)) for path in paths}

    folders = {name.rpartition("/")[0] for name in shared}
    assert alone | folders <= found()
    assert "results/logs/train/train_mine_too_0123abcd.log" not in found()
    plan("other", folds=6)
    assert alone <= found()
    assert not folders & found()


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
