"""Folds of a written cohort: sessions and copies stay on one side, and the audit is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from structnets.cohorts import assembly
from structnets.cohorts.assembly import assemble, write_folded
from structnets.cohorts.content import digest_scans
from structnets.cohorts.listing import Listing, Scan
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.subject_files import SubjectFiles
from structnets.forms.cohort.stored import load_cohort

REQUEST = CohortRequest(
    "cohort", {"label_column": "x", "classes": "no,yes", "folds": 2, "sessions": "all"}
)


def cohort() -> tuple[np.ndarray, list[dict[str, str]]]:
    """Eight subjects with two sessions each; the first scan of g is nearly that of a."""
    rows = [
        {"subject": subject, "session": session, "label": ("no", "yes")[number % 2]}
        for number, subject in enumerate("abcdefgh")
        for session in ("1", "2")
    ]
    volumes = np.random.default_rng(0).integers(0, 256, (16, 1, 28, 30, 28)).astype(np.uint8)
    volumes[12] = volumes[0] // 2 + 20
    return volumes, rows


def test_sessions_and_copies_stay_on_one_side(tmp_path: Path) -> None:
    volumes, rows = cohort()
    manifest = write_folded(REQUEST, volumes, rows, tmp_path / "c", {})
    folds = load_cohort(tmp_path / "c")[2]
    np.testing.assert_array_equal(folds[:, ::2], folds[:, 1::2])
    np.testing.assert_array_equal(folds[:, 0], folds[:, 12])
    assert (folds == 0).any(1).all()
    (found,) = manifest["source"]["audit"]["near_duplicates"]
    assert found[:2] == ["a", "g"]


@pytest.mark.parametrize(
    ("copy", "label", "message"),
    [
        (lambda v: v, "no", r"a_1 \(no\) and g_1 \(no\) are the same scan; find out whose"),
        (lambda v: v, "yes", r"a_1 \(no\) and g_1 \(yes\) are the same scan"),
        (lambda v: v // 2 + 20, "yes", r"have two labels: a_1 \(no\) and g_1 \(yes\) \(correl"),
    ],
)
def test_copies_under_two_names_are_refused(tmp_path: Path, copy, label, message) -> None:
    volumes, rows = cohort()
    volumes[12] = copy(volumes[0])
    rows[12]["label"] = rows[13]["label"] = label
    with pytest.raises(ValueError, match=message):
        write_folded(REQUEST, volumes, rows, tmp_path / "c", {})
    assert not (tmp_path / "c").exists()


def test_classes_that_exclusion_has_made_too_small_are_named(tmp_path: Path) -> None:
    volumes, rows = cohort()
    with pytest.raises(ValueError, match="class 'yes' has 1 subjects, too few for 2 folds; add"):
        write_folded(REQUEST, volumes[:5], rows[:5], tmp_path / "c", {})


def test_folds_that_leak_are_not_written(tmp_path: Path, monkeypatch) -> None:
    volumes, rows = cohort()
    monkeypatch.setattr(assembly, "stratified_folds", lambda labels, *_: np.arange(16) % 2)
    with pytest.raises(ValueError, match=r"folds of cohort leak: subject a is in folds \[0, 1\]"):
        write_folded(REQUEST, volumes, rows, tmp_path / "c", {})
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [
        ("subject", r"no scan of c; .* write exclude: \['c_1', 'c_2'\] into the study"),
        ("site", r"no scan of old; .* write exclude: \['c_1', 'c_2', 'd_1', 'd_2'\] into"),
    ],
)
def test_a_part_of_a_study_that_quality_control_takes_away_is_named(
    tmp_path: Path, leave_out, said
) -> None:
    bad = {"subject": "c", "site": "cd"}[leave_out]
    scans = [
        Scan(
            row["subject"],
            row["session"],
            tmp_path / "scan.nii",
            row["label"],
            traits={"site": "old" if row["subject"] in "cd" else "new"},
        )
        for row in cohort()[1]
    ]
    content = digest_scans((scan, "0") for scan in scans)
    facts = [
        {"sha256": "0", "problems": ["similarity is low"] if scan.subject in bad else []}
        for scan in scans
    ]
    files = [SubjectFiles(scan.name, of, tmp_path) for scan, of in zip(scans, facts, strict=True)]
    asked = {"label_column": "x", "classes": "no,yes", "exclude_failed": True, "content": content}
    request = CohortRequest("cohort", {**asked, "leave_out": leave_out})
    with pytest.raises(ValueError, match=said):
        assemble(request, Listing(tuple(scans), ()), files, tmp_path / "c")


def test_a_study_that_leaves_out_one_person_has_no_two_of_one_scan(tmp_path: Path) -> None:
    volumes, rows = cohort()
    asked = {"label_column": "x", "classes": "no,yes", "leave_out": "subject"}
    manifest = write_folded(CohortRequest("cohort", asked), volumes, rows, tmp_path / "c", {})
    assert manifest["source"]["audit"]["kept_together"] == 1
    request = CohortRequest("cohort", {**asked, "content": "0" * 64})
    with pytest.raises(ValueError, match=r"a and g \(correlation 1\.0000\); find out .* 'exclude'"):
        write_folded(request, volumes, rows, tmp_path / "d", {})
