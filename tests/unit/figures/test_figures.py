"""Figures: what is drawn, that equal input gives equal bytes, and error paths."""

import csv
import re

import pytest

from structnets.figures.accuracy_curve.draw import Curve, draw_accuracy_curve
from structnets.figures.trials.heatmap import draw_heatmap

CURVES = [
    Curve("a", "Net A", [(300, 95.0, 0.4, 3), (1000, 97.0, None, 1)], [(300, 96.0)]),
    Curve("b", "Net B"),
    Curve("c", "Quoted", thesis=[(300, 92.0), (1000, 96.0)], reported=True),
]
TRIALS = [
    {"orders": [1, 1], "sigmas": [1.0, 2.0], "scales": 1, "accuracy": 80.0},
    {"orders": [1, 1], "sigmas": [1.0, 1.0], "scales": 1, "accuracy": 90.0},
    {"orders": [2, 1], "sigmas": [1.5, 1.0], "scales": 2, "accuracy": 85.0},
    {"orders": [4, 4], "sigmas": [1.0, 1.0], "scales": 2, "accuracy": None},
]


def accuracy_curve(stem):
    words = {"title": "T", "x_label": "n", "y_label": "accuracy (%)", "note": "preset small"}
    return draw_accuracy_curve(CURVES, stem, x_ticks=[300, 1000], **words)


def heatmap(stem):
    return draw_heatmap(TRIALS, stem, title="T", value_label="accuracy (%)", note="preset small")


@pytest.mark.parametrize("draw", [accuracy_curve, heatmap])
def test_same_input_same_bytes(tmp_path, draw):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = draw(tmp_path / "one" / "f"), draw(tmp_path / "two" / "f")
    assert [path.suffix for path in first][:2] == [".svg", ".png"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert not re.search(rb"<dc:date>|/home|/tmp", first[0].read_bytes())


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_accuracy_curve_points_by_hand(tmp_path):
    found = rows(accuracy_curve(tmp_path / "f")[-1])
    assert [(r["row"], r["x"], r["mean"], r["sd"], r["n"], r["thesis"]) for r in found] == [
        ("a", "300", "95.0", "0.4", "3", "96.0"),
        ("a", "1000", "97.0", "", "1", ""),
        ("c", "300", "", "", "0", "92.0"),
        ("c", "1000", "", "", "0", "96.0"),
    ]


def test_heatmap_cells_by_hand(tmp_path):
    found = rows(heatmap(tmp_path / "f")[-1])
    cells = {(r["scales"], r["layer"], r["sigma"], r["order"]): r for r in found}
    best = cells["1", "1", "1.0", "1"]
    assert (best["best"], best["trials"]) == ("90.0", "2")
    assert cells["2", "2", "1.0", "1"]["best"] == "85.0"
    assert len(cells) == 5


def test_heatmap_without_a_finished_trial_says_so(tmp_path):
    with pytest.raises(ValueError, match="none of the 1 trials has a value of 'accuracy'"):
        draw_heatmap(TRIALS[-1:], tmp_path / "f", title="", value_label="", note="")
