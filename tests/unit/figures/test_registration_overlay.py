"""Pictures for quality control: left and right said on every one, native scan, what was cut off."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from structnets.figures import registration_overlay
from structnets.figures.style import figure
from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.simulated import simulate_brain
from structnets.imaging.subject import PreparedSubject
from structnets.imaging.template import load_template
from structnets.imaging.volumes import to_ras

FLIP = np.array([[-1.0, 0, 0, 90], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def brain():
    """Return a brain with a bright capsule at the subject's right."""
    data = simulate_brain(0, patient=False)
    data[82:86, 50:58, 40:52] = 2 * data.max()
    return data


@pytest.fixture
def draw(tmp_path, monkeypatch):
    """Return a drawer that gives the panels it drew."""
    panels = []

    @contextlib.contextmanager
    def kept(*arguments, **options):
        with figure(*arguments, **options) as (drawing, axes):
            panels.extend(axes.ravel())
            yield drawing, axes

    monkeypatch.setattr(registration_overlay, "figure", kept)

    def make(made):
        panels.clear()
        registration_overlay.draw_overlay(made, tmp_path / "scan.png", "scan")
        assert (tmp_path / "scan.png").read_bytes().startswith(b"\x89PNG")
        return list(panels)

    return make


def prepared(native, whole, matrix):
    own = whole > 0
    facts = {"matrix": matrix, "cut_off": 0.25 if matrix else None}
    return PreparedSubject(np.where(load_template().mask, whole, 0), facts, whole, own, native)


def words(panel):
    return {text.get_text() for text in panel.texts}


def brightest_column(panel):
    picture = np.asarray(panel.images[0].get_array())
    return picture.max(axis=0).argmax() / picture.shape[1]


def test_every_picture_says_left_and_right(draw, brain):
    made = prepared(to_ras(brain, MNI_AFFINE), brain, np.eye(4).tolist())
    panels = draw(made)
    assert len(panels) == 12
    sides = [words(panel) for panel in panels]
    assert sides.count({"L", "R"}) == 8
    assert sides.count({"P", "A"}) == 4
    assert "left half" in panels[0].get_title("left")
    assert len(draw(prepared(to_ras(brain, MNI_AFFINE), brain, None))) == 6


@pytest.mark.parametrize("stored", ["RAS", "LAS"])
def test_right_is_where_the_mark_says_however_a_scan_is_stored(draw, brain, stored):
    data, affine = (brain, MNI_AFFINE) if stored == "RAS" else (brain[::-1], MNI_AFFINE @ FLIP)
    native = to_ras(data, affine)
    panels = draw(prepared(native, brain, np.eye(4).tolist()))
    coronal, axial = panels[7:9]
    assert f"stored {stored}" in panels[6].get_title("left")
    assert all(brightest_column(panel) > 0.8 for panel in (coronal, axial))


def test_what_was_cut_off_is_tinted(draw, brain):
    panels = draw(prepared(to_ras(brain, MNI_AFFINE), brain, np.eye(4).tolist()))
    assert panels[9].get_title("left") == "cut off: 25.0%"
    coronal = np.asarray(panels[10].images[1].get_array())[..., 3] > 0
    # The capsule lies outside the template's brain.
    assert coronal[:, 80:].any()
    mask = load_template().mask[:, (-20 + 126) // 2].T
    assert not (coronal & mask).any()
