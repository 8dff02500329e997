"""The figure of a sweep: which is drawn, and its numbers."""

import csv

import pytest

from structnets.figures.trials.draw import draw_trials

WORDS = {"title": "T", "value_label": "accuracy (%)", "note": "preset small"}
TRIALS = [
    {"order": 1, "scales": [2, 1], "accuracy": 50.0, "parameters": 10, "step_s": 0.1},
    {"order": 1, "scales": [2, 1], "accuracy": 60.0, "parameters": 10, "step_s": 0.2},
    {"order": 2, "scales": [1, 1], "accuracy": 55.0, "parameters": 20, "step_s": 0.1},
    {"order": 2, "scales": [2, 1], "accuracy": None, "parameters": 20, "step_s": None},
]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_grid_holds_the_best_of_every_pair(tmp_path):
    drawing = {"kind": "grid", "x": "scales", "y": "order"}
    found = rows(draw_trials(drawing, TRIALS, tmp_path / "figure", **WORDS)[-1])
    assert [(r["scales"], r["order"], r["best"], r["trials"]) for r in found] == [
        ("2/1", "1", "60.0", "2"),
        ("1/1", "2", "55.0", "1"),
    ]


@pytest.mark.parametrize("kind", ["grid", "pareto"])
def test_every_ending_is_written(tmp_path, kind):
    drawing = {"kind": kind, "x": "order", "y": "scales"}
    files = draw_trials(drawing, TRIALS, tmp_path / "figure", **WORDS)
    assert sorted(file.name for file in files) == ["figure.csv", "figure.png", "figure.svg"]


@pytest.mark.parametrize("kind", ["grid", "pareto"])
def test_without_a_finished_trial_it_says_so(tmp_path, kind):
    drawing = {"kind": kind, "x": "order", "y": "scales"}
    with pytest.raises(ValueError, match="none of the 1 trials has a value of 'accuracy'"):
        draw_trials(drawing, TRIALS[-1:], tmp_path / "figure", **WORDS)
