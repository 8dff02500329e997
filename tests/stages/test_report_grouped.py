"""Studies of pictures that belong together: from a table's groups to what the report dares say."""

import numpy as np
import pytest

from pipelines.report_study import report_study
from structnets.files import read_json
from structnets.reporting.picture_score_results import PictureScoreResults
from structnets.reporting.study_results import StudyResults
from tests.made_picture_labels import LABEL as THINGS
from tests.made_picture_labels import write_labels
from tests.made_picture_scores import LABEL, ROWS, write_table
from tests.made_picture_tables import rewritten
from tests.made_study import train_study, write_pictures


def grouped(table, of):
    """Add a column of groups, which follow from the number of the line."""
    return rewritten(table, lambda n, cells: [*cells, "group" if n == 0 else of(n)])


def reported(made):
    files = report_study(made.planned, made.prepared.parent, made.results)
    return read_json(files["results.json"]), files["report.html"].read_text()


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Ten tested pictures, of four groups: 3, 3, 3 and 1."""
    root = tmp_path_factory.mktemp("scores")
    table = grouped(write_table(root), lambda n: f"ann-{n // 12}" if n % 4 == 2 else "")
    asked = {"kind": "regression", "label": LABEL, "table": str(table)}
    return train_study(root, **asked, rows=ROWS, train_sizes=["all"], seeds=2)


def test_errors_of_a_score_are_told_over_groups(scores):
    found = PictureScoreResults.of_study(scores.planned, scores.prepared, scores.results)
    assert np.bincount(found.groups).tolist() == [3, 3, 3, 1]
    told, page = reported(scores)
    assert told["warnings"][0].startswith("The 10 tested pictures are of 4 groups: those that")
    assert "Intervals of so few groups are hardly to be trusted" in told["warnings"][0]
    assert "Only 35 groups of pictures. In so few" in " ".join(told["warnings"])
    assert "linear cannot be told from" not in " ".join(told["warnings"])
    cell = told["cells"][0]
    assert cell["groups"] == 4
    assert 0 <= cell["low_groups"] < cell["mae"] < cell["high_groups"]
    assert "In other groups it could as well be off by" in told["findings"][0]
    assert "that over the 4 tested groups" in page
    assert "ann-" not in page


def test_rows_are_compared_over_seeds_and_over_groups(scores):
    found = PictureScoreResults.of_study(scores.planned, scores.prepared, scores.results)
    row, size = found.rows[0], found.sizes[-1]
    wide = found.difference(row, "linear", size)
    low, high = found.gain_over_groups(row, "linear", size).interval()
    alone = PictureScoreResults.of_study(scores.planned, scores.prepared, scores.results)
    alone.__dict__["groups"] = list(range(10))
    seeds = alone.difference(row, "linear", size)
    assert (wide.low, wide.high) == (min(seeds.low, low), max(seeds.high, high))
    assert "groups" not in alone.cells()[0]


def test_of_two_groups_no_verdict_is_given(tmp_path):
    table = grouped(write_labels(tmp_path), lambda n: f"film{(n - 1) // 24}-{(n - 1) % 12 < 4}")
    asked = {"kind": "multilabel", "label": THINGS, "table": str(table)}
    rows = [{**ROWS[0], "label": name} for name in ("one", "other")]
    told, page = reported(train_study(tmp_path, **asked, rows=rows, train_sizes=["all"], seeds=2))
    assert "are of 2 groups" in told["warnings"][0]
    assert "no row is called better than another, or than knowing" in told["warnings"][0]
    assert "cannot be told from" not in " ".join(told["warnings"])
    assert told["cells"][0]["low_groups"] is None
    assert "none: fewer than three groups were tested" in page


def test_accuracy_is_told_over_folders_of_groups(tmp_path):
    images = write_pictures(tmp_path / "pictures", each=16)
    split = {"test": 0.5, "groups": r"(.)\."}
    made = train_study(tmp_path, images, split=split, train_sizes=["all"])
    found = StudyResults.of_study(made.planned, made.prepared, made.results)
    assert 3 <= found.group_count < found.tested
    row, size = found.rows[0], found.sizes[-1]
    assert found.over_groups(row, size).whole == pytest.approx(found.score(row, size).mean)
    low, high = found.interval(row, size)
    assert low <= found.score(row, size).mean <= high
    told, page = reported(made)
    assert f"are of {found.group_count} groups" in told["warnings"][0]
    assert "In other groups it could as well be right in" in page
