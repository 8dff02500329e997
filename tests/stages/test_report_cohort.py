"""A study of a cohort: planned from a folder, scored from made predictions, told on one page."""

import gzip
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image
from torch import nn

from pipelines.report_cohort import report_cohort
from structnets.data.batches.array_examples import Images
from structnets.files import read_json, write_json
from structnets.forms.cohort.stored import write_cohort
from structnets.imaging.grid import grid_shape
from structnets.metrics.binary import binary_scores
from structnets.reporting.cohort_plan import plan_cohort
from structnets.reporting.cohort_results import MAJORITY
from structnets.specs.cohort_study import LINEAR, inner_folds
from structnets.specs.configuration import Configuration
from structnets.training.run import run_spec
from tests.made_cohort_plan import scan_bytes
from tests.made_results import make_result

STUDY = {
    "study": "mine",
    "question": "Is <it> seen?",
    "layout": "folder",
    "label": "d",
    "classes": ["no", "yes"],
    "covariates": ["age"],
    "folds": 4,
    "rows": [{"model": "nin_3d", "label": "plain & simple", "options": {"width": 0.25}}],
    "cohort": "brains",
}


@pytest.fixture
def plan(tmp_path):
    """Return a planner of a study of so many people, `positive` of them of the second class."""

    def make(people=24, positive=12, **more):
        folder = tmp_path / "brains"
        folder.mkdir(exist_ok=True)
        rows = ["subject,file,d,age,site"]
        for number in range(people):
            (folder / f"b{number}.nii").write_bytes(scan_bytes(number))
            label = "yes" if number < positive else "no"
            if number % 3 == 2 and "maybe" in more.get("classes", ()):
                label = "maybe"
            rows.append(f"P{number:02d},b{number}.nii,{label},{60 + number},{number % 3}")
        (folder / "b99.nii").write_bytes(b"nobody's")
        (folder / "labels.csv").write_text("\n".join(rows))
        file = tmp_path / "study.yaml"
        file.write_text(yaml.safe_dump({**STUDY, **more}))
        configuration = Configuration(study=str(file))
        return plan_cohort(configuration, tmp_path / "lists", None)

    return make


@pytest.fixture
def report(tmp_path):
    """Return a reporter of a plan whose rows say what a function of row and labels says.

    Without one they are trained, on volumes that are bright where their class is.
    """

    def make(planned, answer=None):
        listed = planned.listed["scans"]
        classes = planned.study.classes
        labels = np.array([classes.index(scan["label"]) for scan in listed])
        subjects = tmp_path / "prepared" / "subjects" / planned.request.subjects_name()
        rows = [{**scan, "problems": [], "quality": {"similarity": 0.9}} for scan in listed]
        for number, row in enumerate(rows):
            facts = {"problems": [], "quality": {"similarity": 1 - number / 100}, "cut_off": 0.02}
            write_json(subjects / f"{row['subject']}.json", facts)
            Image.new("L", (40, 60)).save(subjects / f"{row['subject']}.png")
        folds = np.stack([(np.arange(len(labels)) + r) % planned.parts for r in range(10)])
        counts = {"used": len(labels), "left out": 1}
        path = str(tmp_path / "P77_x.nii")
        left_out = [
            [str(tmp_path / "P03_x.nii"), "has no <label>"],
            [path, "is excluded by name"],
            [str(tmp_path / "P78.nii"), "is excluded by 'P78'"],  # by an earlier version
            [str(tmp_path / "anna.nii"), "is another scan of P01: anna_2.nii is used, the first"],
        ]
        source = {"counts": counts, "left_out": [], "excluded": {}}  # of an earlier call
        planned.listed["left_out"][:] = left_out
        planned.listed["excluded_by"].update({path: "P77"})
        planned.listed["reasons"].update({left_out[3][0]: "is another scan of a session"})
        source["excluded"] = {"P05": [f"{tmp_path}/bert.nii is truncated"]}
        source["unusable"] = ["P05"]
        shape = (2, 2, 2) if answer else grid_shape(planned.study.grid_mm)
        volumes = np.random.default_rng(0).integers(0, 90, (len(labels), 1, *shape), np.uint8)
        for volume, label in zip(volumes, labels, strict=True):
            volume[:, 7 * label : 7 * label + 7] += 100
        manifest = write_cohort(
            tmp_path / "prepared" / planned.prepared,
            "cohort",
            planned.data["prepare"],
            volumes,
            labels,
            rows,
            folds,
            classes,
            source,
        )
        for run in planned.runs:
            if answer is None:
                out, work = (tmp_path / part / run.run_id for part in ("results/runs", "work"))
                run_spec(run.spec, tmp_path / "prepared" / planned.prepared, out, work)
                continue
            repeat, fold = divmod(run.seed, planned.parts)
            held = folds[repeat] == fold
            said = {"log_odds" if len(classes) == 2 else "probabilities"
                    : answer(run.row, labels)[held].tolist()}  # fmt: skip
            content = make_result(run.spec, data_digest=manifest["digest"], **said)
            write_json(tmp_path / "results/runs" / run.run_id / "result.json", content)
        report_cohort(planned, tmp_path / "prepared", tmp_path / "results")
        return tmp_path / "results/studies/mine"

    return make


def answers(row, labels):
    """Return log-odds that are all right, of the linear row all but those of the first class."""
    return np.where(labels == 1, 2.0, 1.0 if row == LINEAR else -2.0)


def test_runs_carry_the_content_and_a_linear_row_is_beside(plan):
    planned = plan()
    assert {run.row for run in planned.runs} == {"plain & simple", LINEAR}
    assert len(planned.runs) == 2 * 4
    contents = {run.spec["data"]["prepare"]["content"] for run in planned.runs}
    assert contents == {planned.list_file.stem}
    assert sum(map(len, planned.jobs.values())) == 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"1 of 24 scans cannot be read: .*b3\.nii is empty: it has no byte"),
        (b"no scan" * 99, r"b3\.nii is not a readable volume: it is neither NIfTI nor Analyze"),
        (scan_bytes(3)[:200], r"b3\.nii has no readable header|b3\.nii is not a readable volume"),
        (gzip.compress(scan_bytes(3)), r"compressed by gzip; call it \.nii\.gz"),
    ],
)
def test_a_scan_that_cannot_be_read_is_told_before_anything_is_registered(
    plan, tmp_path, content, said
):
    plan()
    before = (tmp_path / "brains/b3.nii").read_bytes()
    (tmp_path / "brains/b3.nii").write_bytes(content)
    file = Configuration(study=str(tmp_path / "study.yaml"))
    with pytest.raises(ValueError, match=said):
        plan_cohort(file, tmp_path / "lists", None)
    (tmp_path / "brains/b3.nii").write_bytes(before)
    plan_cohort(file, tmp_path / "lists", None)


def test_a_corrected_label_makes_other_runs(plan):
    assert not {r.run_id for r in plan().runs} & {r.run_id for r in plan(positive=11).runs}


def test_jobs_keep_the_list_they_were_planned_with(plan, tmp_path):
    planned = plan()
    plan(positive=11)
    configuration = Configuration(study=str(planned.file))
    again = plan_cohort(configuration, tmp_path / "lists", str(planned.list_file))
    assert [run.run_id for run in again.runs] == [run.run_id for run in planned.runs]


def test_few_people_stop_a_study_unless_it_is_told_to_run(plan):
    with pytest.raises(ValueError, match=r"only 4 of class 'yes': any number from so few .* run"):
        plan(positive=4)
    assert "Only 24 people (20 no and 4 yes)" in " ".join(plan(positive=4, few="run").warnings())


@pytest.mark.parametrize(("leave_out", "parts"), [("subject", 24), ("site", 3)])
def test_leaving_out_one_each(plan, leave_out, parts):
    planned = plan(leave_out=leave_out, folds=10)
    assert planned.parts == parts
    assert {run.seed for run in planned.runs} == set(range(parts))
    assert "folds" not in planned.data["prepare"]


def test_ten_folds_are_what_is_taken_anyway(plan):
    assert plan(folds=10, people=40, positive=20).parts == 10
    assert "folds" not in plan(folds=10, people=40, positive=20).data["prepare"]


@pytest.mark.parametrize(
    ("left", "inner"),
    [((90, 25), 5), ((2, 2), 4), ((1, 9), None), ((3, 3), 5), ((40, 3), 22)],
)
def test_inner_folds_never_hold_a_whole_class(left, inner):
    found = inner_folds({"a": left[0], "b": left[1]})
    assert found == inner
    if found and min(left) < found:
        assert -(-sum(left) // found) < min(left)


def test_scores_by_hand(plan, report):
    found = read_json(report(plan(people=30), answers) / "results.json")
    cells = {cell["row"]: cell for cell in found["cells"]}
    assert cells["plain & simple"]["accuracy"] == 100
    assert cells["plain & simple"]["accuracy_p"] < 0.001
    # All of thirty are right: that is no certainty.
    assert 85 < cells["plain & simple"]["accuracy_low"] < 98
    assert "auc_low" not in cells["plain & simple"]
    linear = cells[LINEAR]
    assert (linear["accuracy"], linear["balanced_accuracy"]) == (40, 50)
    assert (linear["tpr"], linear["spc"], linear["accuracy_p"]) == (100, 0, 1)
    labels = np.array([1] * 12 + [0] * 18)
    assert linear["auc"] == binary_scores(labels, answers(LINEAR, labels))["auc"]
    assert cells[MAJORITY]["accuracy"] == 60
    assert [len(values) for values in found["by_fold"].values()] == [4, 4, 4]
    assert found["counts"] == {"used": 30, "left out": 4}
    assert "linear cannot be told from guessing: its interval holds 50 %." in found["warnings"]


def test_the_page_says_what_a_colleague_asks(plan, report):
    folder = report(plan(), answers)
    page = (folder / "report.html").read_text()
    for text in (
        "Is &lt;it&gt; seen?",
        "Only 24 people",
        "plain &amp; simple",
        MAJORITY,
        "<th>age</th><td>77.5",
        "has no &lt;label&gt;",
        "structnets predict ",
        "2.0% of the brain cut off",
        "as the scan's header has",
        "permutation of the predictions",
        "snakemake --profile profiles/local study --config study=",
    ):
        assert text in page, text
    assert page.index('class="warn"') < page.index('class="result"')
    assert page.index("similarity 0.770") < page.index("similarity 0.780")
    assert "http" not in page.replace("http://www.w3.org", "")


def test_people_have_pseudonyms_unless_their_names_are_asked_for(plan, report):
    folder = report(plan(), answers)
    said = (folder / "predictions.csv").read_text() + (folder / "report.html").read_text()
    assert "person-04" in said
    assert not re.search("P03|P77|P78|anna|bert", said)
    assert "person-04,P03" in (folder / "names.csv").read_text()
    assert "somebody" in (folder / "report.html").read_text()
    for reason in ("is excluded by name", "is another scan of a session", "cannot be read, or reg"):
        assert f">{reason}" in (folder / "report.html").read_text()
    folder = report(plan(names="subjects"), answers)
    assert "P03" in (folder / "predictions.csv").read_text()
    page = (folder / "report.html").read_text()
    assert "is excluded by name (&#39;P77&#39;)" in page
    assert "is another scan of P01: anna_2.nii is used" in page


def test_repeats_are_averaged(plan, report):
    planned = plan(repeats=2)
    found = read_json(report(planned, answers) / "results.json")
    assert len(found["by_fold"][LINEAR]) == 8
    assert len((planned.file.parent / "results/studies/mine/predictions.csv").read_text()
               .splitlines()) == 1 + 2 * 2 * 24  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data_digest": "0" * 64}, "was measured on other prepared data"),
        ({"log_odds": [0.5]}, "held out 6 scans and has answers of 1: remove its folder"),
    ],
)
def test_a_run_on_other_data_is_refused(plan, report, tmp_path, changed, said):
    planned = plan()
    report(planned, answers)
    path = tmp_path / "results/runs" / planned.runs[0].run_id / "result.json"
    path.write_text(json.dumps({**read_json(path), **changed}))
    with pytest.raises(ValueError, match=said):
        report_cohort(planned, tmp_path / "prepared", tmp_path / "results")


def chances(row, labels):
    """Return probabilities that are all right, of the linear row all of the first class."""
    answers = np.zeros_like(labels) if row == LINEAR else labels
    return 0.1 + 0.7 * np.eye(3)[answers]


def test_three_classes_have_a_confusion_and_scores_of_each(plan, report):
    planned = plan(people=30, positive=15, classes=["no", "maybe", "yes"])
    folder = report(planned, chances)
    found = read_json(folder / "results.json")
    cells = {cell["row"]: cell for cell in found["cells"]}
    net, linear = cells["plain & simple"], cells[LINEAR]
    assert (net["accuracy"], net["auc"], net["found maybe"]) == (100, 100, 100)
    assert net["brier"] == pytest.approx(0.2**2 + 2 * 0.1**2)
    # Ten of each: one of three is always right, and every order of scans is a tie.
    assert linear["balanced_accuracy"] == pytest.approx(100 / 3)
    assert (linear["found no"], linear["found yes"], linear["auc"]) == (100, 0, 50)
    assert found["confusion"][LINEAR] == [[10, 0, 0]] * 3
    assert found["confusion"]["plain & simple"] == (10 * np.eye(3, dtype=int)).tolist()
    assert not {"auc", "brier"} & cells[MAJORITY].keys()
    assert f"{LINEAR} cannot be told from guessing: its interval holds 33.3 %." in found["warnings"]
    page = (folder / "report.html").read_text()
    assert page.count('alt="ROC and calibration"') == 3
    assert "maybe found" in page
    assert "mean over the classes of each against all others" in page
    first = (folder / "predictions.csv").read_text().splitlines()
    assert first[0] == "subject,session,label,row,repeat,fold,answer,p(no),p(maybe),p(yes)"
    assert len(first) == 1 + 2 * 30


def test_answers_that_are_no_numbers_are_refused(plan, report):
    planned = plan(people=30, positive=15, classes=["no", "maybe", "yes"])
    with pytest.raises(ValueError, match="no finite numbers: the training diverged"):
        report(planned, lambda row, labels: chances(row, labels) * np.nan)


def test_a_map_stands_with_what_it_may_not_be_taken_for(plan, report, monkeypatch):
    asked = []

    def load(folder, prepared, trusted):
        asked.append(folder.name)
        net = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))
        scans = Images(np.zeros((2, 1, 23, 28, 23), np.uint8), np.zeros(2, int), np.arange(2))
        return SimpleNamespace(model=net, splits={"test": scans})

    monkeypatch.setattr("pipelines.report_cohort.load_run", load)
    planned = plan(maps=True, grid_mm=8)
    folder = report(planned, answers)
    assert asked == [run.run_id for run in planned.runs if run.row != LINEAR]
    page = (folder / "report.html").read_text()
    assert "Maps of the trainings of plain &amp; simple correlate with" in page
    assert "A map does not show where the classes differ, nor a cause" in page
    assert (folder / "maps.png").is_file()
    assert "maps of the nets" not in (report(plan(), answers) / "report.html").read_text()


def test_the_grid_is_told(plan, report):
    page = (report(plan(), answers) / "report.html").read_text()
    assert "All rows see voxels of 4 mm.</p>" in page
    page = (report(plan(grid_mm=8, field_of_view="brain"), answers) / "report.html").read_text()
    assert "voxels of 8 mm, in the box around the brain of the MNI152 template.</p>" in page


@pytest.mark.parametrize("classes", [["no", "yes"], ["no", "maybe", "yes"]])
def test_what_is_trained_is_told_of_the_right_scans(plan, report, classes):
    row = {"model": "nin_3d", "label": "plain", "options": {"width": 0.1}}
    more = {"folds": 2, "grid_mm": 8, "rows": [row], "recipe": {"epochs": 2}, "classes": classes}
    folder = report(plan(people=30, positive=15, **more))
    found = read_json(folder / "results.json")
    # One place is bright in each class: a row of probabilities out of place would show.
    cell = next(cell for cell in found["cells"] if cell["row"] == LINEAR)
    assert (cell["accuracy"], cell["auc"]) == (100, 100)
    total = np.zeros((len(classes), len(classes)), int)
    for path in (folder.parents[1] / "runs").glob("nin_3d*/result.json"):
        total += read_json(path)["confusion"]
    assert found["confusion"]["plain"] == total.tolist()
