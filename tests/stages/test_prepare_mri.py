"""The stages that register scans and gather cohorts."""

import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from pipelines import prepare_mri, prepare_mri_subject
from structnets.cohorts.subject_files import read_subject
from structnets.data.prepared.manifest import load_manifest
from structnets.forms.cohort.stored import load_cohort, load_held_out
from structnets.forms.writing import verify
from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.simulated import simulate_brain

PREPARE = {
    "layout": "folder",
    "label_column": "diagnosis",
    "classes": "no,yes",
    "folds": 2,
    "grid_mm": 8,
}


def save(path, data):
    image = nibabel.Nifti1Image(data, MNI_AFFINE)
    image.set_sform(MNI_AFFINE, "mni")
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A plain folder of four registered brains, the last of them misplaced, and a broken file."""
    root = tmp_path_factory.mktemp("originals")
    folder = root / "cohort"
    folder.mkdir()
    lines = ["subject,file,diagnosis"]
    for number in range(4):
        brain = simulate_brain(number, patient=number % 2 == 1)
        save(folder / f"b{number}.nii.gz", np.roll(brain, 12 if number == 3 else 0, axis=1))
        lines.append(f"p{number},b{number}.nii.gz,{('no', 'yes')[number % 2]}")
    brain = simulate_brain(5, patient=True)
    save(folder / "b5.nii.gz", brain)
    (folder / "labels.csv").write_text("\n".join([*lines, "p5,b5.nii.gz,yes", ""]))
    return root


@pytest.fixture(scope="module")
def registered(originals, tmp_path_factory):
    """The originals and the folder of their registered scans."""
    out = tmp_path_factory.mktemp("registered")
    assert run(originals, out, "--register", keep=["p3"]) == 0
    return originals, out / "subjects"


def run(root, out, *extra, subjects=None, **prepare):
    request = json.dumps({"name": "cohort", "prepare": {**PREPARE, **prepare}})
    words = ["--data-json", request, "--data-root", str(root), *extra]
    folder = str(subjects or out / "subjects")
    return prepare_mri.main([*words, "--subjects", folder, "--out", str(out / "c")])


def test_jobs_of_subjects_and_the_gathering_job(originals, tmp_path):
    request = json.dumps({"name": "cohort", "prepare": PREPARE})
    for name in ("p0", "p1", "p2", "p3", "p5"):
        words = ["--data-json", request, "--data-root", str(originals), "--scan", name]
        if name == "p2":
            # As the plan does, which has listed the cohort.
            words += ["--file", str(originals / "cohort" / "b2.nii.gz")]
        assert prepare_mri_subject.main([*words, "--out", str(tmp_path / "subjects")]) == 0
    assert run(originals, tmp_path, keep=["p3"]) == 0
    volumes, labels, folds = load_cohort(tmp_path / "c")
    assert volumes.shape == (5, 1, 23, 28, 23)
    assert labels.tolist() == [0, 1, 0, 1, 1]
    assert folds.shape == (10, 5)
    manifest = load_manifest(tmp_path / "c")
    assert list(manifest["source"]["flagged"]) == ["p3"]
    assert manifest["source"]["excluded"] == {}
    assert manifest["source"]["counts"]["flagged and used"] == 1
    page = (tmp_path / "subjects" / "quality.html").read_text()
    assert page.index('<a href="#p3">') < page.index('<a href="#p0">')
    assert 'src="p3.png"' in page
    assert "<th>cut off</th>" in page
    assert "L, R, A and P are the subject" in page
    assert (tmp_path / "subjects" / "p3.png").read_bytes().startswith(b"\x89PNG")
    assert verify(tmp_path / "c") == []


def test_flagged_scans_are_excluded_only_if_asked(originals, tmp_path):
    assert run(originals, tmp_path, "--register", exclude_failed=True) == 0
    _, labels, _ = load_cohort(tmp_path / "c")
    assert labels.tolist() == [0, 1, 0, 1]
    assert list(load_manifest(tmp_path / "c")["source"]["excluded"]) == ["p3"]


def test_flagged_scans_need_a_decision(registered, tmp_path, capsys):
    root, subjects = registered
    assert run(root, tmp_path, subjects=subjects) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "1 of 5 scans are flagged by quality control and need a decision: p3 (" in line
    assert "'keep' or 'exclude'" in line
    assert not (tmp_path / "c").exists()
    assert run(root, tmp_path, subjects=subjects, exclude=["p3"]) == 0
    assert load_cohort(tmp_path / "c")[1].tolist() == [0, 1, 0, 1]
    left_out = load_manifest(tmp_path / "c")["source"]["left_out"]
    assert [Path(what).name for what, _ in left_out] == ["b3.nii.gz"]


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ({"keep": ["p33"]}, "'keep' names 'p33', and there is no such scan"),
        ({"exclude": ["p33"]}, "'exclude' names 'p33', and there is no such subject"),
        ({"keep": ["p3"], "exclude": ["p3"]}, "'exclude' and 'keep' both name p3"),
        ({"keep": [3]}, "'keep' must be a list of names such as ['sub-05'], got [3]"),
    ],
)
def test_decisions_name_what_is_there(registered, tmp_path, capsys, decision, message):
    root, subjects = registered
    assert run(root, tmp_path, subjects=subjects, **decision) == 1
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_scan_is_made_again_when_its_file_changes(originals, registered, tmp_path, caplog):
    root, subjects = tmp_path / "originals", tmp_path / "subjects"
    shutil.copytree(originals, root)
    shutil.copytree(registered[1], subjects)
    scan = root / "cohort" / "b3.nii.gz"
    good = scan.read_bytes()
    scan.write_bytes(good[:9000])
    assert run(root, tmp_path) == 1
    assert "b3.nii.gz is truncated or damaged" in read_subject(subjects, "p3").failure
    # Mended, now in its place.
    save(scan, simulate_brain(3, patient=True))
    assert run(root, tmp_path) == 0
    assert read_subject(subjects, "p3").problems == []
    assert load_cohort(tmp_path / "c")[1].tolist() == [0, 1, 0, 1, 1]
    made = (subjects / "p3.json").stat().st_mtime_ns
    assert run(root, tmp_path) == 0
    assert (subjects / "p3.json").stat().st_mtime_ns == made


def test_a_copy_under_another_name_is_refused(originals, registered, tmp_path, capsys):
    root, subjects = tmp_path / "originals", tmp_path / "subjects"
    shutil.copytree(originals, root)
    shutil.copytree(registered[1], subjects)
    shutil.copyfile(root / "cohort/b0.nii.gz", root / "cohort/b2.nii.gz")
    assert run(root, tmp_path, exclude=["p3"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "p0 (no) and p2 (no) are the same scan" in line
    assert not (tmp_path / "c").exists()


def test_a_damaged_registered_volume_is_told(originals, registered, tmp_path, capsys):
    subjects = tmp_path / "subjects"
    shutil.copytree(registered[1], subjects)
    path = subjects / "p0.nii.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert run(originals, tmp_path, exclude=["p3"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "p0.nii.gz is truncated or damaged" in line
    assert "p0.json to have it made again" in line


def test_a_broken_scan_stops_the_gathering_unless_excluded(originals, tmp_path, capsys):
    root = tmp_path / "broken"
    folder = root / "cohort"
    folder.mkdir(parents=True)
    for path in (originals / "cohort").iterdir():
        content = path.read_bytes()
        (folder / path.name).write_bytes(content[:9000] if path.name == "b3.nii.gz" else content)
    assert run(root, tmp_path, "--register") == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "1 of 5 scans cannot be used" in line
    assert "b3.nii.gz is truncated or damaged" in line
    assert "exclude_failed" in line
    assert not (tmp_path / "c").exists()
    assert run(root, tmp_path, exclude_failed=True) == 0
    assert len(load_cohort(tmp_path / "c")[1]) == 4


def test_the_simulated_cohort_needs_no_file(tmp_path):
    request = json.dumps({"name": "simulated_cohort", "prepare": {"grid_mm": 8, "folds": 4}})
    assert prepare_mri.main(["--data-json", request, "--out", str(tmp_path / "c")]) == 0
    dealt = load_held_out(tmp_path / "c", 0)
    assert dealt.volumes.shape == (24, 1, 23, 28, 23)
    assert dealt.labels[dealt.test].mean() == 0.5
    assert load_manifest(tmp_path / "c")["source"]["package"] == "nilearn"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"name": "mnist"}, "mnist is no cohort"),
        ({"name": "cohort", "prepare": {"label_column": "x"}}, "needs the prepare parameter 'cla"),
        ({"name": "cohort", "prepare": {"classes": "x"}}, "must name two classes"),
        ({"name": "oasis_ad126"}, "oasis1 is no folder"),
    ],
)
def test_a_user_s_fault_is_one_line(tmp_path, capsys, request_, message):
    if "prepare" in request_:
        request_["prepare"] = {"label_column": "x", **request_["prepare"]}
    words = ["--data-json", json.dumps(request_), "--data-root", str(tmp_path)]
    assert (
        prepare_mri.main([*words, "--subjects", str(tmp_path), "--out", str(tmp_path / "c")]) == 1
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare_mri: ")
    assert message in line
