"""Pooled scores by hand, and where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from structnets.identity import prepared_name
from structnets.reporting.cells import cells_of
from structnets.reporting.formats import to_markdown
from structnets.reporting.ledger import append, ledger_line, read_ledger
from structnets.reporting.page import to_html
from structnets.reporting.pooling import pooled_score, whole_repetitions
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import cell_spec, load_experiments
from structnets.reporting.row_differences import difference, row_differences
from structnets.specs.target import load_table
from tests.made_results import WORKFLOW, make_result

# (label, log-odds) of two folds: TPR 2 of 3, SPC 1 of 2, accuracy 3 of 5; 4.5 of 6 pairs in order.
FOLDS = [[(1, 2.0), (0, -1.0), (0, 0.5)], [(1, 0.5), (1, -0.25)]]
METRICS = {"accuracy": 60.0, "tpr": 60.0, "spc": 60.0, "balanced_accuracy": 60.0, "auc": 60.0}


@pytest.fixture(scope="module")
def table():
    return load_table(WORKFLOW / "targets" / "table5.yaml")


@pytest.fixture(scope="module")
def experiments(table):
    return load_experiments(WORKFLOW / "experiments", [table])


@pytest.fixture
def fold(table, experiments):
    """Return a maker of the ledger line of a seed; smoke has two folds."""

    def make(seed: int, pairs: list[tuple[int, float]] | None) -> dict[str, Any]:
        spec = cell_spec(table, experiments, "smoke", "linear_oasis", "accuracy", seed)
        labels, log_odds = zip(*pairs, strict=True) if pairs else (None, None)
        changes = {"labels": labels, "log_odds": log_odds, "metrics": METRICS}
        return ledger_line(make_result(spec, **changes))

    return make


@pytest.mark.parametrize(
    ("metric", "value"),
    [("accuracy", 60), ("tpr", 200 / 3), ("spc", 50), ("balanced_accuracy", 700 / 12), ("auc", 75)],
)
def test_pooled_by_hand(fold, metric: str, value: float) -> None:
    lines = [fold(seed, FOLDS[seed]) for seed in (1, 0)]
    assert pooled_score(whole_repetitions(lines), metric) == pytest.approx(value)


def test_mean_over_whole_repetitions(fold) -> None:
    right = [(1, 1.0), (0, -1.0)]
    lines = [fold(0, FOLDS[0]), fold(1, FOLDS[1]), fold(2, right), fold(3, right)]
    assert pooled_score(whole_repetitions(lines), "accuracy") == pytest.approx(80)
    assert pooled_score(
        whole_repetitions([*lines, fold(4, [(1, -9.0)])]), "accuracy"
    ) == pytest.approx(80)


def test_difference_of_rows_is_of_the_same_people() -> None:
    """Of two patients and two controls the first net finds all, the second misses a patient."""
    first = np.array([(1, 2.0), (0, -1.0), (1, 0.5), (0, -0.5)])
    second = np.array([(1, 2.0), (0, -1.0), (1, -0.7), (0, -0.5)])
    # Drawn patients are none, one or both times the missed one: 25, 50, 25 % of the draws.
    assert difference("balanced_accuracy", first, second) == pytest.approx((25, 0, 50))
    mean, low, high = difference("auc", first, second)
    assert (mean, low) == (25, 0)
    assert high > 25
    assert difference("auc", first, second[::-1]) is None
    assert difference("auc", first[:1], second[:1]) is None


def test_tables_say_how_rows_differ(table, experiments) -> None:
    def line(row: str, seed: int, pairs: list[tuple[int, float]]) -> dict[str, Any]:
        spec = cell_spec(table, experiments, "smoke", row, "accuracy", seed)
        labels, log_odds = zip(*pairs, strict=True)
        changes = {"labels": labels, "log_odds": log_odds, "metrics": METRICS}
        return ledger_line(make_result(spec, **changes))

    def said(*lines: dict[str, Any]) -> list[str]:
        cells = cells_of(table, experiments, "smoke", lines)
        return row_differences(Rendering(table, "smoke", cells))

    better = [(1, 2.0), (0, -1.0), (0, -0.5)], [(1, 0.5), (1, 0.25)]
    lines = [line("linear_oasis", seed, FOLDS[seed]) for seed in (0, 1)]
    lines += [line("rfnin_oasis", seed, better[seed]) for seed in (0, 1)]
    found = said(*lines)
    assert len(found) == 2
    assert "Pooled balanced accuracy, 3D-RFNiN, OASIS AD-126 (text) less Logistic" in found[0]
    assert "+41.7 points in repetition 1 (" in found[0]  # 100 against 58.3
    assert "AUC" in found[1]
    assert said(*lines[:3]) == []  # a fold is missing
    other = [{**one, "data_digest": "2" * 64} for one in lines[2:]]
    assert said(*lines[:2], *other) == []


def test_tables_say_how_many_scans_were_left_out(tmp_path, table, experiments, fold) -> None:
    counts = {"used": 5, "flagged and used": 1, "left out": 2}
    line = {**fold(0, FOLDS[0]), **ledger_line({**fold(0, FOLDS[0]), "data_counts": counts})}
    append(tmp_path, [line])
    lines = read_ledger(tmp_path).values()
    rendering = Rendering(table, "smoke", cells_of(table, experiments, "smoke", lines))
    said = "Scans of simulated_cohort-{}-full: 5 used, 1 flagged and used, 2 left out."
    data = prepared_name(line["spec"]["data"]).removeprefix("simulated_cohort-")
    for text in (to_markdown(rendering), to_html(rendering)):
        assert said.format(data) in text


def test_no_pooled_score(fold) -> None:
    whole = [fold(seed, FOLDS[seed]) for seed in (0, 1)]
    assert pooled_score(whole_repetitions([]), "accuracy") is None
    assert pooled_score(whole_repetitions(whole[:1]), "accuracy") is None  # half a repetition
    assert pooled_score(whole_repetitions(whole), "loss") is None
    assert pooled_score(whole_repetitions([whole[0], fold(1, None)]), "accuracy") is None


def test_predictions_pass_through_the_ledger(tmp_path, fold) -> None:
    line = fold(0, [(1, 1.23456789), (0, -4e-7)])
    assert line["predictions"] == [[1, 1.2346], [0, -4e-7]]
    append(tmp_path, [line, fold(1, None)])
    assert read_ledger(tmp_path)[line["run_id"]] == line


def test_tables_show_it_where_there_is_one(table, experiments, fold) -> None:
    table = table.model_copy(update={"result_in_smoke": True})
    lines = [fold(seed, FOLDS[seed]) for seed in (0, 1)]
    rendering = Rendering(table, "smoke", cells_of(table, experiments, "smoke", lines))
    assert rendering.cell("linear_oasis", "auc").pooled == pytest.approx(75)
    text = to_markdown(rendering)
    assert "**60.00 ± 0.00 (2)**<br>pooled 66.67" in text
    assert "Pooled: over the predictions of all folds" in text
    assert '<span class="thesis">pooled 66.67</span>' in to_html(rendering)
    bare = cells_of(table, experiments, "smoke", [fold(0, None), fold(1, None)])
    assert "Pooled: over" not in to_markdown(Rendering(table, "smoke", bare))
