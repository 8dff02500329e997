"""Figures of chapter 6: equal input gives equal bytes, drawn numbers by hand, error paths."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from structnets.analysis.separability import Separability
from structnets.figures.interpolations.draw import draw_interpolations
from structnets.figures.invertible_block.draw import draw_block
from structnets.figures.invertible_down_sampling.draw import draw_down_sampling
from structnets.figures.separability import draw_separability
from structnets.figures.singular_values.draw import draw_spectra
from structnets.figures.training_loss.draw import MeanLoss, draw_mean_losses
from structnets.figures.training_memory.draw import StepCost, draw_memory_growth

FOUND = [Separability("a", 8, 50.0, 40.0, 0.1), Separability("b", 16, 80.0, 70.0, 0.01)]
IMAGES = np.linspace(-0.5, 1.5, 3 * 3 * 4 * 4).reshape(3, 3, 4, 4)
LOSSES = [MeanLoss(100, 2.0, 100), MeanLoss(150, 1.0, 50)]
DRAWINGS: dict[str, Callable[[Path], list[Path]]] = {
    "block": lambda stem: draw_block(stem, title="T", note="n"),
    "down-sampling": lambda stem: draw_down_sampling(stem, title="T"),
    "loss": lambda stem: draw_mean_losses({"a": LOSSES, "b": LOSSES[:1]}, stem, title="T"),
    "spectra": lambda stem: draw_spectra({"net": ([2.0, 1.0], 5.0)}, stem, title="T"),
    "faces": lambda stem: draw_interpolations([("f", IMAGES, [1, 0.5, 0])], stem, title="T"),
    "depth": lambda stem: draw_separability({"a": FOUND, "b": FOUND}, stem, title="T"),
    "components": lambda stem: draw_separability(
        {"a": FOUND}, stem, title="T", against="components"
    ),
    "memory": lambda stem: draw_memory_growth(
        {way: [StepCost(9, 33.0, 1.0), StepCost(36, 34.0, 2.0)] for way in ("stored", "ours")},
        stem,
        title="T",
    ),
}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", DRAWINGS)
def test_same_input_same_bytes(tmp_path: Path, name: str) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    first, second = (DRAWINGS[name](tmp_path / folder / "f") for folder in ("one", "two"))
    assert [path.suffix for path in first][:2] == [".svg", ".png"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_down_sampling_is_the_layer_s(tmp_path: Path) -> None:
    found = rows(DRAWINGS["down-sampling"](tmp_path / "f")[-1])
    pixels = {(r["channel"], r["y"], r["x"]): r["pixel"] for r in found}
    assert len(pixels) == 16
    assert [pixels[str(c), "0", "0"] for c in range(4)] == ["0", "1", "4", "5"]


def test_losses_say_over_how_many_iterations(tmp_path: Path) -> None:
    found = rows(DRAWINGS["loss"](tmp_path / "f")[-1])
    assert [(r["run"], r["step"], r["window"]) for r in found] == [
        ("a", "100", "100"),
        ("a", "150", "50"),
        ("b", "100", "100"),
    ]
    with pytest.raises(ValueError, match="losses must hold values of every run"):
        draw_mean_losses({"a": []}, tmp_path / "f", title="T")


def test_energy_by_hand(tmp_path: Path) -> None:
    found = rows(DRAWINGS["spectra"](tmp_path / "f")[-1])
    assert [(r["normalised"], r["cumulated_energy"]) for r in found] == [
        ("1.0", "0.8"),
        ("0.5", "1.0"),
    ]


def test_values_beyond_the_shown_range_are_counted(tmp_path: Path) -> None:
    found = rows(DRAWINGS["faces"](tmp_path / "f")[-1])
    assert [float(r["share_outside"]) for r in found] == pytest.approx([0.75, 0, 0.75], abs=0.03)


def test_depths_are_counted_from_one(tmp_path: Path) -> None:
    found = rows(DRAWINGS["depth"](tmp_path / "f")[-1])
    assert [(r["network"], r["depth"], r["svm"]) for r in found] == [
        ("a", "1", "50.0"),
        ("a", "2", "80.0"),
        ("b", "1", "50.0"),
        ("b", "2", "80.0"),
    ]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda s: draw_spectra({"x": ([1.0, 2.0], 5.0)}, s, title=""), "'x' must be descending"),
        (lambda s: draw_interpolations([], s, title=""), r"of one length, got lengths \[\]"),
        (
            lambda s: draw_interpolations([("f", IMAGES[:, :2], [1, 0, 0])], s, title=""),
            r"shape \(1 or 3, H, W\)",
        ),
        (lambda s: draw_separability({}, s, title=""), "holds no network"),
        (
            lambda s: draw_separability({"a": FOUND}, s, title="", against="x"),
            "must be 'depth' or 'components', got 'x'",
        ),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path, draw: Callable[[Path], list[Path]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        draw(tmp_path / "f")
    assert not list(tmp_path.iterdir())
