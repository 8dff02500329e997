"""A study that estimates a score: planned from a folder, trained, told on one page."""

import csv

import numpy as np
import pytest
import yaml
from PIL import Image

from pipelines.forget import command
from pipelines.report_scores import report_scores
from structnets.files import read_json, write_json
from structnets.forms.scores.stored import write_scores
from structnets.imaging.grid import grid_shape
from structnets.reporting.cohort_plan import plan_cohort
from structnets.reporting.score_results import MEAN
from structnets.reporting.studies import plan_any_study
from structnets.reporting.study_estimate import time_steps
from structnets.specs.cohort_study import LINEAR
from structnets.specs.configuration import Configuration
from structnets.training.run import run_spec
from tests.made_cohort_plan import write_people
from tests.made_results import make_result

STUDY = {
    "study": "ages",
    "question": "Is <age> seen?",
    "layout": "folder",
    "kind": "regression",
    "label": "age",
    "covariates": ["dose", "site"],
    "folds": 3,
    "grid_mm": 8,
    "rows": [{"model": "nin_3d", "label": "plain & simple", "options": {"width": 0.1}}],
    "recipe": {"epochs": 1},
    "cohort": "brains",
}
PEOPLE = 30


@pytest.fixture
def plan(tmp_path):
    """Return a planner of a study of people with ages, one of whom has none."""

    def make(ages=range(60, 60 + PEOPLE), **more):
        folder = tmp_path / "brains"
        folder.mkdir(exist_ok=True)
        (folder / "b99.nii").write_bytes(b"no age")
        people = [f"{age},{2 * n},{'ab'[n % 2]}" for n, age in enumerate(ages)]
        write_people(folder, "age,dose,site", people, more="P99,b99.nii,n/a,1,a")
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({**STUDY, **more}))
        return plan_cohort(Configuration(study=str(file)), tmp_path / "lists", None)

    return make


@pytest.fixture
def report(tmp_path):
    """Return a reporter of a plan; `answer` says what a row estimates, else it is trained."""

    def make(planned, answer=None):
        listed = planned.listed["scans"]
        scores = np.array([float(scan["label"]) for scan in listed])
        subjects = tmp_path / "prepared" / "subjects" / planned.request.subjects_name()
        rows = [{**scan, "problems": []} for scan in listed]
        for row in rows:
            facts = {"problems": [], "quality": {"similarity": 0.9}, "cut_off": None}
            write_json(subjects / f"{row['subject']}.json", facts)
            Image.new("L", (40, 60)).save(subjects / f"{row['subject']}.png")
        folds = np.stack([(np.arange(len(scores)) + r) % planned.parts for r in range(10)])
        source = {"counts": {"used": len(scores)}, "left_out": [], "excluded": {}}
        rng = np.random.default_rng(0)
        shape = (2, 2, 2) if answer else grid_shape(8)
        volumes = rng.integers(90, 110, (len(scores), 1, *shape)).astype(np.uint8)
        for volume, score in zip(volumes, scores, strict=True):
            volume[:, :1] += np.uint8(2 * (score - scores.min()))
        folder = tmp_path / "prepared" / planned.prepared
        prepare = planned.data["prepare"]
        manifest = write_scores(
            folder, "cohort_scores", prepare, volumes, scores, rows, folds, source
        )
        for run in planned.runs:
            out = tmp_path / "results/runs" / run.run_id
            if answer is None:
                run_spec(run.spec, folder, out, tmp_path / "work" / run.run_id)
                continue
            held = folds[run.seed // planned.parts] == run.seed % planned.parts
            said = {"estimates": answer(run.row, scores)[held].tolist()}
            metrics = {"mae": 1.0}
            content = make_result(run.spec, data_digest=manifest["digest"], metrics=metrics, **said)
            write_json(out / "result.json", content)
        report_scores(planned, tmp_path / "prepared", tmp_path / "results")
        return tmp_path / "results/studies/ages"

    return make


def estimates(row, scores):
    """Return what is one off, up and down in turn; of the linear row always seventy."""
    off = scores + np.where(np.arange(len(scores)) % 2, 1.0, -1.0)
    return np.full(len(scores), 70.0) if row == LINEAR else off


@pytest.mark.parametrize("rows", [STUDY["rows"], []])
def test_a_study_that_was_only_planned_is_forgotten(plan, tmp_path, capsys, rows):
    plan(rows=rows)
    file, roots = tmp_path / "study.yaml", [tmp_path / n for n in ("results", "scratch", "data")]
    with pytest.raises(ValueError, match=r"no study 'ages' has run below .* are: none"):
        command(str(file), *roots)
    plan_any_study(Configuration(study=str(file), scratch=str(roots[1])))
    command(str(file), *roots, yes=True)
    assert "files and folders of the study ages" in capsys.readouterr().out
    assert not [path for path in roots[1].rglob("*") if path.is_file()]
    assert len(list((tmp_path / "brains").iterdir())) == PEOPLE + 2
    with pytest.raises(ValueError, match="there are: none"):
        command(str(file), *roots)


def test_scores_by_hand(plan, report):
    folder = report(plan(), estimates)
    found = read_json(folder / "results.json")
    cells = {cell["row"]: cell for cell in found["cells"]}
    net, linear, mean = (cells[row] for row in ("plain & simple", LINEAR, MEAN))
    assert (net["mae"], net["rmse"]) == (1, 1)
    total = np.square(np.arange(PEOPLE) - (PEOPLE - 1) / 2).sum()
    assert net["r2"] == pytest.approx(1 - PEOPLE / total)
    assert net["r"] > 0.99
    assert (net["mae_p"], net["r_p"]) == (1 / 10001, 1 / 10001)
    assert "r" not in linear  # it always says the same
    assert linear["mae"] == np.abs(np.arange(60, 90) - 70).mean()
    assert "r" not in mean
    assert mean["r2"] < 0
    assert len(found["by_fold"][MEAN]) == 3
    assert "linear cannot be told from always saying the mean" in " ".join(found["warnings"])
    assert "plain & simple cannot" not in " ".join(found["warnings"])
    rows = list(csv.DictReader((folder / "predictions.csv").read_text().splitlines()))
    assert [*rows[0]] == ["subject", "session", "label", "row", "repeat", "fold", "estimate"]
    assert len(rows) == 2 * PEOPLE
    assert (rows[0]["subject"], rows[0]["label"], rows[0]["estimate"]) == (
        "person-01",
        "60.0",
        "59.0",
    )


def test_the_page_says_what_a_colleague_asks(plan, report):
    folder = report(plan(), estimates)
    page = (folder / "report.html").read_text()
    for text in (
        "Is &lt;age&gt; seen?",
        "Only 30 people. In so few, estimates that know nothing reach a correlation of 0.36",
        "age of held-out scans is estimated 1 off on average (95 % interval 1 to 1)",
        "plain &amp; simple",
        MEAN,
        "correlation with the score 1.00",
        "mean score a: 74, b: 75",
        "mean absolute error of each of 3",
        "74.5 ± 8.8 (60 to 89)",
        "the gap between estimate and score goes with the score itself",
        "where one goes with age, a model may have learned it in its place",
        "structnets predict ",
    ):
        assert text in page, text
    assert page.index('class="warn"') < page.index('class="result"')
    assert page.count("<figure") == 1 + 12
    assert (folder / "scatter.png").is_file()


def test_what_is_trained_is_told_of_the_right_scans(plan, report):
    found = read_json(report(plan(maps=True)) / "results.json")
    cells = {cell["row"]: cell for cell in found["cells"]}
    # One slice is brighter by age: estimates out of place would show.
    assert cells[LINEAR]["r"] > 0.9
    assert cells[LINEAR]["mae"] < 0.5 * cells[MEAN]["mae"]
    page = (plan().file.parent / "results/studies/ages/report.html").read_text()
    assert "gradient of the estimate" in page


def test_a_corrected_score_makes_other_runs(plan):
    before = {run.run_id for run in plan().runs}
    assert not before & {run.run_id for run in plan(range(61, 61 + PEOPLE)).runs}
    same = plan([f"{age}.0" for age in range(60, 60 + PEOPLE)])
    assert before == {run.run_id for run in same.runs}


def test_a_list_shared_by_two_studies_tells_the_parts_of_each(plan):
    three, four = plan(), plan(folds=4)
    assert three.list_file == four.list_file
    assert (three.parts, four.parts) == (3, 4)
    assert plan(leave_out="subject").parts == PEOPLE
    assert plan(leave_out="site").parts == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"ages": range(60, 75)}, "only 15 with a score 'age': any number from so few"),
        ({"ages": [60, 61] * 15}, "age is 60 and 61 throughout: two values or fewer"),
        ({"ages": range(60, 64), "few": "run"}, "4 subjects have a score, too few for 3 folds"),
    ],
)
def test_too_little_is_refused_before_anything_runs(plan, more, message):
    with pytest.raises(ValueError, match=message):
        plan(**more)


def test_codes_for_missing_values_are_told(plan):
    warnings = " ".join(plan([*range(60, 89), 999]).warnings())
    assert "Scores of age that lie far from all others: 999 (1). If one is a code" in warnings


def test_a_step_can_be_timed(plan):
    found = time_steps(next(run.spec for run in plan().runs if run.row != LINEAR))
    assert found["step_s"] > 0
