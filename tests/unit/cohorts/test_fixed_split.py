"""A user's list of images to train and to test on: what it keeps, and what it is checked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from structnets.cohorts.assembly import write_folded
from structnets.cohorts.fixed_split import fixed_folds
from structnets.cohorts.request import CohortRequest
from structnets.forms.cohort.stored import load_held_out

REQUEST = CohortRequest("adni", {"split": "ours"})
SUBJECTS = {"002_S_0001": "CN", "002_S_0002": "CN", "002_S_0003": "AD", "002_S_0004": "AD"}
HEADER = "Image Data ID,Split\n"
GOOD = HEADER + "I11,train\nI2,test\nI3,train\nI4,test\n"


@pytest.fixture
def cohort(tmp_path: Path):
    """Return a writer of ADNI's folder with five images, the first subject's two, and a list."""

    def write(split: str | None) -> Path:
        root = tmp_path / "adni"
        lines = ["Image Data ID,Subject,Group"]
        for number, (subject, group) in enumerate(SUBJECTS.items(), start=1):
            for image in (f"I{number}", f"I{number}1")[: 2 if number == 1 else 1]:
                year = 2006 + len(image)
                folder = root / "ADNI" / subject / "MPR" / f"{year}-01-01_00_00_00.0" / "S1"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"ADNI_{subject}_MR_MPR_Br_2007_S1_{image}.nii").touch()
                lines.append(f"{image},{subject},{group}")
        (root / "table.csv").write_text("\n".join(lines) + "\n")
        if split is not None:
            (root / "splits").mkdir()
            (root / "splits" / "ours.csv").write_text(split)
        return tmp_path

    return write


def test_listed_images_are_kept_and_others_told(cohort) -> None:
    listing = REQUEST.list_scans(cohort(GOOD))
    assert [scan.session[-3:].strip("_") for scan in listing.scans] == ["I11", "I2", "I3", "I4"]
    assert sorted(listing.sides.values()) == ["test", "test", "train", "train"]
    assert [why for what, why in listing.left_out if "_I1.nii" in what] == ["is not in ours.csv"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (GOOD + "I9,test\n", "names 1 of 5 images that the cohort has no scan of .*I9"),
        (GOOD + "I2,train\n", "I2 has two values of Split"),
        (GOOD + "I1,test\n", "both to train and to test on: 002_S_0001"),
        (GOOD.replace("I4,test", "I4,holdout"), "must be train or test, found holdout"),
        (HEADER + "I2,train\nI3,train\n", "names no image to test on"),
        (HEADER + "I2,train\nI3,test\n", "classes on one side only: AD, CN"),
        ("Image,Split\n", "has no column 'Image Data ID'"),
    ],
)
def test_a_list_is_checked(cohort, split: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        REQUEST.list_scans(cohort(split))


def test_a_missing_list_is_named(cohort) -> None:
    with pytest.raises(FileNotFoundError, match=r"splits/ours\.csv"):
        REQUEST.list_scans(cohort(None))


@pytest.mark.parametrize(
    "prepare", [{"split": "a", "folds": 5}, {"split": "a", "sessions": "all"}, {"split": "../a"}]
)
def test_what_a_list_leaves_no_use_for_is_refused(prepare: dict) -> None:
    with pytest.raises(ValueError, match=r"has no use with 'split'|'\.\./a'"):
        CohortRequest("adni", prepare)


def test_registered_scans_are_shared_with_other_splits() -> None:
    assert REQUEST.subjects_name() == CohortRequest("adni", {}).subjects_name()


def test_every_run_tests_on_the_listed_images(tmp_path: Path) -> None:
    rows = [
        {"subject": subject, "session": f"2006_I{number}", "label": label}
        for number, (subject, label) in enumerate(SUBJECTS.items(), start=1)
    ]
    volumes = np.random.default_rng(0).integers(0, 256, (4, 1, 28, 30, 28)).astype(np.uint8)
    sides = {f"{row['subject']}_{row['session']}": "train" for row in rows}
    for row in rows[1::2]:
        sides[f"{row['subject']}_{row['session']}"] = "test"
    write_folded(REQUEST, volumes, rows, tmp_path / "c", {}, sides)
    for run in (0, 1, 9):
        held = load_held_out(tmp_path / "c", run)
        assert (held.train.tolist(), held.test.tolist()) == ([0, 2], [1, 3])


def test_folds_by_hand() -> None:
    folds = fixed_folds(["a", "b"], {"a": "test", "b": "train"}, 2)
    assert folds.tolist() == [[0, -1], [0, -1]]
