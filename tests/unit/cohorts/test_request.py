"""What is told of a cohort before any scan is registered."""

import os

import pytest

from structnets.cohorts.request import CohortRequest

PREPARE = {"label_column": "group", "classes": "0,1"}


@pytest.fixture
def root(make):
    """Return originals of four subjects, their classes as a spreadsheet wrote them."""
    rows = [f"sub-{number}\t{number % 2}.0" for number in range(4)]
    return make(
        *(f"cohort/sub-{number}/anat/sub-{number}_T1w.nii.gz" for number in range(4)),
        **{"cohort/participants__tsv": "\n".join(["participant_id\tgroup", *rows, ""])},
    )


def test_classes_of_a_spreadsheet_are_found(root):
    listing = CohortRequest("cohort", {**PREPARE, "folds": 2}).list_scans(root)
    assert [scan.label for scan in listing.scans] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(("prepare", "folds"), [({}, 10), ({"folds": 3}, 3)])
def test_fewer_subjects_than_folds_are_told_while_listing(root, prepare, folds):
    with pytest.raises(ValueError, match=f"class '0' has 2 subjects and .* few for {folds} folds"):
        CohortRequest("cohort", {**PREPARE, **prepare}).list_scans(root)


def test_a_single_scan_is_found_whatever_the_folds(root):
    assert CohortRequest("cohort", PREPARE).find_scan(root, "sub-3").label == "1"
    with pytest.raises(ValueError, match="cohort has no scan 'sub-9'"):
        CohortRequest("cohort", PREPARE).find_scan(root, "sub-9")


@pytest.mark.parametrize("names", [("A", "a", "B"), ("01", "1", "2")])
def test_subjects_of_nearly_one_name_are_refused(make, names):
    rows = [f"{name},s{name}.nii,{number % 2}" for number, name in enumerate(names)]
    root = make(
        *(f"cohort/s{name}.nii" for name in names),
        **{"cohort/labels__csv": "\n".join(["subject,file,group", *rows])},
    )
    said = f"the subjects '{names[0]}' and '{names[1]}' have nearly one name"
    with pytest.raises(ValueError, match=said):
        CohortRequest("cohort", {**PREPARE, "layout": "folder", "folds": 2}).list_scans(root)


def test_classes_of_nearly_one_name_are_refused():
    with pytest.raises(ValueError, match="the classes '01' and '1' have nearly one name"):
        _ = CohortRequest("cohort", {**PREPARE, "classes": "1,01"}).classes


def test_a_scan_is_excluded_by_its_file_s_own_name(root):
    scan = root / "cohort/sub-0/anat/sub-0_T1w.nii.gz"
    scan.rename(scan.with_name("sub-0[1]_T1w.nii.gz"))
    asked = {**PREPARE, "leave_out": "subject", "exclude": ["sub-0[1]_T1w.nii.gz"]}
    listing = CohortRequest("cohort", asked).list_scans(root)
    assert [scan.name for scan in listing.scans] == ["sub-1", "sub-2", "sub-3"]


def test_a_name_that_is_not_in_utf_8_is_refused(root):
    scan = root / "cohort/sub-0/anat/sub-0_T1w.nii.gz"
    scan.rename(scan.with_name(os.fsdecode(b"f\xfcnf_T1w.nii.gz")))
    with pytest.raises(ValueError, match=r"f\\udcfcnf_T1w\.nii\.gz' is not in UTF-8: rename"):
        CohortRequest("cohort", {**PREPARE, "folds": 2}).list_scans(root)


@pytest.mark.parametrize("classes", ["1,1.0", "a,b,a", "a", "a,"])
def test_two_classes_are_two(classes):
    with pytest.raises(ValueError, match="must name two classes"):
        _ = CohortRequest("cohort", {**PREPARE, "classes": classes}).classes
