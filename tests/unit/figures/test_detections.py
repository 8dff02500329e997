"""Pictures of detectors: files, rows of the wrong length, the curves' numbers."""

import csv
import re

import numpy as np
import pytest

from structnets.figures.detections.draw import draw_detections
from structnets.figures.picture_grid import Panel, PictureRow, draw_picture_grid
from structnets.figures.precision_recall import PrecisionRecall

WORDS = {"title": "Figure 0", "note": "made"}


@pytest.fixture
def rows():
    grey = np.linspace(0, 1, 48).reshape(6, 8)
    panels = [Panel(np.stack([grey] * 3, -1), "image"), Panel(grey, "strength"), None]
    return [PictureRow("I", panels), PictureRow("II", [Panel(3 * grey, "magnitude")] * 3)]


def test_grid_writes_both_files_the_same_twice(rows, tmp_path):
    files = draw_picture_grid("abc", rows, tmp_path / "grid", **WORDS)
    assert [path.suffix for path in files] == [".svg", ".png"]
    before = files[0].read_bytes()
    draw_picture_grid("abc", rows, tmp_path / "grid", **WORDS)
    assert files[0].read_bytes() == before


def test_rows_have_a_panel_per_column(rows, tmp_path):
    with pytest.raises(ValueError, match=re.escape("row 'I' has 3 panels, expected 2")):
        draw_picture_grid("ab", rows, tmp_path / "grid", **WORDS)


def test_detections_keep_the_numbers_of_their_curves(rows, tmp_path):
    curve = PrecisionRecall("net", [0.2, 0.6], [0.9, 0.5], (0.6, 0.5))
    files = draw_detections([curve], "abc", rows, tmp_path / "both", **WORDS)
    assert [path.suffix for path in files] == [".svg", ".png", ".csv"]
    found = list(csv.DictReader(files[2].read_text().splitlines()))
    assert [(row["net"], float(row["precision"])) for row in found] == [("net", 0.9), ("net", 0.5)]
