"""What a study will take, by hand from made-up speeds."""

import os

import pytest
import yaml

from structnets.files import write_json
from structnets.reporting.cohort_plan import plan_cohort
from structnets.reporting.study_estimate import (
    estimate_study,
    speed_key,
    speeds_file,
    time_steps,
)
from structnets.specs.cohort_study import LINEAR
from structnets.specs.configuration import Configuration

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
    (tmp_path / "brains").mkdir()
    rows = ["subject,file,d"]
    for number in range(12):
        (tmp_path / "brains" / f"b{number}.nii").write_bytes(bytes([number]))
        rows.append(f"p{number},b{number}.nii,{('no', 'maybe', 'yes')[number % 3]}")
    (tmp_path / "brains/labels.csv").write_text("\n".join(rows))
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(STUDY))
    found = plan_cohort(Configuration(study=str(tmp_path / "my.yaml")), tmp_path / "lists", None)
    speed = {"step_s": 10.0, "test_s": 1.0, "parameters": 1e6}
    nets = [run.spec for run in found.runs if run.row != LINEAR]
    write_json(speeds_file(tmp_path / "scratch"), {speed_key(spec): speed for spec in nets})
    return found


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
