"""What a study will take, by hand from made-up speeds."""

import os

import pytest

from structnets.files import write_json
from structnets.reporting.study_estimate import (
    estimate_study,
    time_steps,
)
from structnets.specs.cohort_study import LINEAR
from tests.made_cohort_plan import plan_made_cohort

STUDY = {
    "study": "mine",
    "cohort": "brains",
    "layout": "folder",
    "label": "d",
    "classes": ["no", "maybe", "yes"],
    "folds": 2,
    "grid_mm": 8,
    "rows": [{"model": "nin_3d", "options": {"width": 0.25}}],
    "few": "run",
}


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Return a study of twelve people, and have two processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    return plan_made_cohort(tmp_path, 12, STUDY, tmp_path / "lists", 10.0, 1.0)


def test_a_cohort_by_hand(planned, tmp_path):
    roots = [str(tmp_path / name) for name in ("scratch", "results", "prepared")]
    found = estimate_study(planned, *roots)
    # Two nets of 20 epochs of one step of four of six scans; two fits; half a minute a scan.
    nets, fits, scans = 2 * (3 + 20 * 10 + 6), 2 * (3 + 5), 12 * 30
    assert found.hours == pytest.approx(((nets + fits) / 2 + scans / 2 + 60) / 3600)
    assert (found.runs, found.left, found.scans) == (4, 4, 12)
    assert "with 12 scans to register first" in str(found)
    folder = tmp_path / "prepared" / "subjects" / planned.request.subjects_name()
    for scan, _ in planned.scans():
        write_json(folder / f"{scan.name}.json", {})
    assert estimate_study(planned, *roots).hours == pytest.approx(((nets + fits) / 2 + 60) / 3600)


def test_a_step_on_scans_is_timed(planned):
    spec = next(run.spec for run in planned.runs if run.row != LINEAR)
    found = time_steps(spec)
    assert found["step_s"] > 0
    assert found["parameters"] > 1000
