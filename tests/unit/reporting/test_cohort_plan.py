"""What the plan of a study of a cohort refuses before a scan is registered."""

import pytest
import yaml

from structnets.reporting.cohort_plan import plan_cohort
from structnets.specs.configuration import Configuration
from tests.made_cohort_plan import write_people

STUDY = {
    "study": "mine",
    "cohort": "brains",
    "layout": "folder",
    "label": "d",
    "classes": ["no", "yes"],
    "folds": 4,
    "rows": [{"model": "nin_3d", "label": "net", "options": {"width": 0.25}}],
}
PEOPLE = 24


@pytest.fixture
def plan(tmp_path):
    """Return a planner of a study of people whose classes take turns; `site` says where each is."""

    def make(site=lambda number: "ab"[number // 2 % 2], **more):
        people = [f"{STUDY['classes'][n % 2]},{site(n)}" for n in range(PEOPLE)]
        write_people(tmp_path / "brains", "d,site", people)
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({**STUDY, **more}))
        return plan_cohort(Configuration(study=str(file)), tmp_path / "lists", None)

    return make


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            {"recipe": {"evaluation": {"split": "validation", "validation_fraction": 0.25}}},
            "recipe of net: evaluation.split is 'validation', and the report of a study is of the "
            "people that are held out",
        ),
        (
            {"recipe": {"augmentation": {"flip": True}}},
            "cohort has volumes, which are neither moved nor flipped: leave out recipe.aug",
        ),
        (
            {"leave_out": "site", "site": lambda number: ("UCL", "ucl", "x")[number % 3]},
            "groups of leave_out: site, 'UCL' and 'ucl' have nearly one name",
        ),
        (
            {"leave_out": "site", "site": lambda number: ("UCL", "None", "x")[number % 3]},
            r"the column is empty \(or n/a\) for some \('None'\); fill it, or exclude",
        ),
        (
            {"leave_out": "site", "site": lambda number: ("1", "1.0", "x")[number % 3]},
            "'1' and '1.0' have nearly one name",
        ),
        (
            {"leave_out": "site", "site": lambda n: "b" if n % 2 else "ab"[n // 2 % 2]},
            "leave_out: site: without b nobody of class 'yes' is left to train on; .* write folds",
        ),
    ],
)
def test_what_cannot_be_is_refused(plan, more, said):
    with pytest.raises(ValueError, match=said):
        plan(**more)


def test_blanks_around_a_class_are_none_of_its_name(plan):
    planned = plan(classes=["no ", "yes"])
    assert planned.study.classes == ["no", "yes"]
    assert len(planned.runs) == 2 * 4
