import re
import shutil

import pytest
import yaml

from structnets.files import write_json
from structnets.reporting.study_estimate import speed_key, speeds_file
from structnets.reporting.study_plan import plan_study
from structnets.specs.configuration import Configuration
from tests.made_study import write_pictures, write_study


@pytest.fixture
def study(tmp_path):
    """Write a study whose models need not be timed."""
    file = write_study(tmp_path, write_pictures(tmp_path / "mine"))
    planned = plan_study(Configuration(study=str(file), scratch=str(tmp_path / "scratch")))
    speed = {"step_s": 1.0, "test_s": 0.5, "parameters": 1e6}
    write_json(
        speeds_file(tmp_path / "scratch"), {speed_key(run.spec): speed for run in planned.runs}
    )
    return file


@pytest.fixture
def call(snakemake, study):
    def dry(**content):
        study.write_text(yaml.safe_dump({**yaml.safe_load(study.read_text()), **content}))
        return snakemake("study", "--config", f"study={study}", "-n")

    return dry


def names(text):
    return set(re.findall(r"pictures-[0-9a-f]{8}|train_stripes_[0-9a-f]{8}", text))


def test_a_study_prepares_trains_and_reports(call):
    text = call()
    assert "rule report_stripes:" in text
    assert len(names(text)) == 3  # prepared pictures, two jobs
    assert "track_init" in text
    assert "study stripes: 8 of 8 trainings are to be made: about 2 minutes" in text


def test_a_study_that_would_take_more_than_its_limit_does_not_start(snakemake, study):
    study.write_text(study.read_text() + "limit: {hours: 0.001}\n")
    said = snakemake("study", "--config", f"study={study}", "-n", code=1)
    assert "expected to take 0.0" in said
    assert "raise limit.hours" in said


@pytest.mark.parametrize("change", ["add", "remove", "relabel", "replace"])
def test_other_pictures_are_other_runs(call, tmp_path, change):
    before, mine = names(call()), tmp_path / "mine"
    if change == "add":
        shutil.copy(mine / "across/1.png", mine / "across/9.png")
    elif change == "remove":
        (mine / "across/1.png").unlink()
    elif change == "relabel":
        (mine / "across/1.png").rename(mine / "<i>along/1x.png")
    else:
        (mine / "across/1.png").write_bytes((mine / "across/2.png").read_bytes() + b" ")
    after = names(call())
    assert len(after) == 3
    assert not before & after


def test_equal_pictures_elsewhere_are_the_same_runs(call, tmp_path):
    before = names(call())
    shutil.move(tmp_path / "mine", tmp_path / "moved")
    assert names(call(images=str(tmp_path / "moved"))) == before


def test_a_question_makes_no_other_run_and_a_seed_does(call):
    before = names(call())
    assert names(call(question="And now?")) == before
    assert names(call(seeds=3)) != before


def test_what_is_wrong_is_said_before_anything_starts(snakemake, study, call):
    assert "study needs the file of one" in snakemake("study", "-n", code=1)
    missing = snakemake("study", "--config", "study=none.yaml", "-n", code=1)
    assert "structnets new-study" in missing
    study.write_text("study: x\nrows: []\n")
    assert "rows" in snakemake("study", "--config", f"study={study}", "-n", code=1)
