"""Figures of chapter 5: what is drawn, equal input gives equal bytes, error paths."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from structnets.figures.class_kept.draw import draw_class_kept
from structnets.figures.hcnn_layers.draw import draw_layer_sizes
from structnets.figures.hierarchy_schematic.draw import draw_hierarchy_schematic
from structnets.figures.translated_images import Found, draw_translated_images
from structnets.figures.trials.pareto import draw_pareto, pareto_front

WORDS = {"title": "T", "note": "preset small"}
TRIALS = [
    {"group": "K = 8", "label": "Q 4", "params": 100, "seconds": 3.0, "accuracy": 60.0},
    {"group": "K = 8", "label": "Q 9", "params": 200, "seconds": 1.0, "accuracy": 55.0},
    {"group": "K = 16", "label": "Q 4", "params": 300, "seconds": 4.0, "accuracy": 70.0},
    {"group": "K = 16", "label": "Q 9", "params": 400, "seconds": 5.0, "accuracy": None},
]
COSTS = {"params": "parameters", "seconds": "step (s)"}


def found(shift: int, label: str) -> Found:
    rng = np.random.default_rng(shift)
    return Found(shift, 10 + shift, rng.random((8, 8, 3)), label, 0.5, rng.random((4, 8)))


ROWS = [
    ("Bird 1", [found(0, "bird"), found(1, "bird"), found(2, "car")]),
    ("Bird 2", [found(0, "bird"), found(1, "bird"), found(2, "bird")]),
]


def translated(stem: Path) -> list[Path]:
    return draw_translated_images(ROWS, stem, arrays=True, **WORDS)


def sizes(stem: Path) -> list[Path]:
    layers = [("x1", (32, 32, 16)), ("x2", (32, 32, 8, 16)), ("x3", (32, 32, 8, 16))]
    return draw_layer_sizes(layers, stem, **WORDS)


def kept(stem: Path) -> list[Path]:
    shares = {3: [0.1, 0.2], 11: [0.9, 0.8]}
    return draw_class_kept(shares, [1, 2], stem, queries=50, chance=0.1, **WORDS)


def pareto(stem: Path) -> list[Path]:
    return draw_pareto(TRIALS, stem, costs=COSTS, value_label="accuracy (%)", **WORDS)


@pytest.mark.parametrize("draw", [draw_hierarchy_schematic, sizes, translated, kept, pareto])
def test_same_input_same_bytes(tmp_path: Path, draw) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = draw(tmp_path / "one" / "f"), draw(tmp_path / "two" / "f")
    assert [path.suffix for path in first][:2] == [".svg", ".png"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_translated_images_by_hand(tmp_path: Path) -> None:
    table = rows(translated(tmp_path / "f")[-1])
    assert [(r["row"], r["tau"], r["image"], r["same_class"]) for r in table[:3]] == [
        ("Bird 1", "0", "10", "1"),
        ("Bird 1", "1", "11", "1"),
        ("Bird 1", "2", "12", "0"),
    ]


def test_layer_sizes_by_hand(tmp_path: Path) -> None:
    table = rows(sizes(tmp_path / "f")[-1])
    assert [(r["layer"], r["attributes"], r["numbers"]) for r in table[:2]] == [
        ("x1", "16", "16384"),
        ("x2", "8 x 16", "131072"),
    ]


def test_pareto_front_by_hand(tmp_path: Path) -> None:
    assert pareto_front([(1, 5), (2, 4), (2, 7), (3, 7), (4, 8)]) == [0, 2, 4]
    table = rows(pareto(tmp_path / "f")[-1])
    assert [(r["on_front_params"], r["on_front_seconds"]) for r in table] == [
        ("1", "1"),
        ("0", "1"),
        ("1", "1"),
    ]


def test_class_kept_points(tmp_path: Path) -> None:
    table = rows(kept(tmp_path / "f")[-1])
    assert [(r["depth"], r["tau"], r["kept"]) for r in table[2:]] == [
        ("11", "1", "0.9"),
        ("11", "2", "0.8"),
    ]


def test_nothing_to_draw_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one length of at least 1, got \\[1, 3\\]"):
        draw_translated_images([ROWS[0], ("x", ROWS[0][1][:1])], tmp_path / "f", **WORDS)
    bare = [("x", [Found(0, 0, np.zeros((2, 2)), "a", 0.0)])]
    with pytest.raises(ValueError, match="needs the invariant array"):
        draw_translated_images(bare, tmp_path / "f", arrays=True, **WORDS)
    with pytest.raises(ValueError, match="at least one layer"):
        draw_layer_sizes([], tmp_path / "f", **WORDS)
    with pytest.raises(ValueError, match="got 0, 5"):
        draw_class_kept({}, [1], tmp_path / "f", queries=5, chance=0.1, **WORDS)
    with pytest.raises(ValueError, match="none of the 1 trials has a value of 'accuracy'"):
        draw_pareto(TRIALS[-1:], tmp_path / "f", costs=COSTS, value_label="", **WORDS)
