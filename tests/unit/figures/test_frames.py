"""Figures 8 and 9: what is drawn, and that equal input gives equal bytes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from structnets.figures.frame_atoms.draw import draw_frame_atoms
from structnets.figures.frames_plane.draw import draw_frames_plane, plane_frames


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("draw", [draw_frames_plane, draw_frame_atoms])
def test_same_input_same_bytes(tmp_path: Path, draw: Callable) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = draw(tmp_path / "one" / "f"), draw(tmp_path / "two" / "f")
    assert [path.suffix for path in first] == [".svg", ".png", ".csv"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_frames_of_the_plane_are_tight() -> None:
    basis, three = plane_frames()
    assert basis.bounds == pytest.approx((1, 1))
    assert three.bounds == pytest.approx((1, 1))
    assert (len(three), three.rank) == (3, 2)


def test_both_compositions_make_the_same_filter(tmp_path: Path) -> None:
    found = rows(draw_frames_plane(tmp_path / "f", filter_at=(0.2, -0.6))[-1])
    three = [row for row in found if row["frame"] == "tight frame"]
    vectors = np.array([[float(row["x"]), float(row["y"])] for row in three])
    for kind in ("smallest_coefficient", "other_coefficient"):
        coefficients = np.array([float(row[kind]) for row in three])
        np.testing.assert_allclose(coefficients @ vectors, (0.2, -0.6), atol=1e-5)
    assert [row["other_coefficient"] for row in found[:2]] == ["", ""]


def test_atoms_are_those_of_the_bases(tmp_path: Path) -> None:
    found = rows(draw_frame_atoms(tmp_path / "f", names=["framelet", "gauss15"])[-1])
    assert len(found) == (9 + 15) * 9
    first = [float(row["value"]) for row in found[:9]]
    np.testing.assert_allclose(first, np.outer([1, 2, 1], [1, 2, 1]).ravel() / 6, atol=1e-6)


def test_unknown_frame_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown frame 'wavelet'"):
        draw_frame_atoms(tmp_path / "f", names=["wavelet"])
