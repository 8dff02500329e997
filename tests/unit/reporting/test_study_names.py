"""Two studies of one name: the second is refused, a moved one goes on."""

import shutil

import pytest
import yaml

from structnets.files import read_json, write_json
from structnets.reporting.study_plan import lists_folder, plan_study
from structnets.specs.configuration import Configuration
from tests.made_results import WORKFLOW
from tests.made_study import write_pictures, write_study


@pytest.fixture
def file(tmp_path):
    return write_study(tmp_path, write_pictures(tmp_path / "mine"))


@pytest.fixture
def plan(tmp_path):
    return lambda file: plan_study(
        Configuration(
            study=str(file), scratch=str(tmp_path / "scratch"), targets=str(WORKFLOW / "targets")
        )
    )


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other").mkdir()
    return tmp_path / "other/study.yaml"


def test_another_file_of_the_name_is_refused(plan, file, other):
    plan(file)
    plan(file)
    shutil.copy(file, other)
    with pytest.raises(ValueError, match=r"called stripes has run already, that of .*study\.yaml"):
        plan(other)
    other.write_text(file.read_text().replace("study: stripes", "study: others"))
    plan(other)


def test_a_moved_file_goes_on_as_long_as_it_is_the_same_study(plan, file, other):
    plan(file)
    content = yaml.safe_load(file.read_text())
    file.unlink()
    other.write_text(yaml.safe_dump({**content, "recipe": {"steps": 3}}))
    with pytest.raises(ValueError, match=r"structnets forget stripes\. If this is the same study"):
        plan(other)
    other.write_text(yaml.safe_dump(content))
    plan(other)
    other.write_text(yaml.safe_dump({**content, "recipe": {"steps": 3}}))
    plan(other)


def test_a_study_that_is_called_as_a_target_is_refused(plan, file):
    file.write_text(file.read_text().replace("study: stripes", "study: table7"))
    with pytest.raises(ValueError, match="cannot be called table7, as a target is"):
        plan(file)


def test_what_an_earlier_version_wrote_down_is_taken_over(plan, file, other, tmp_path):
    plan(file)
    made = lists_folder(tmp_path / "scratch") / "stripes.made.json"
    write_json(made, {key: value for key, value in read_json(made).items() if key != "file"})
    plan(shutil.copy(file, other))
    assert read_json(made)["file"] == str(other)
