"""Cohort folders in the original layouts: what is found, what is left out and why."""

from pathlib import Path

import pytest

from structnets.cohorts.layouts import list_adni, list_bids, list_folder, list_oasis


def names(listing):
    return [(scan.name, scan.label) for scan in listing.scans]


PARTICIPANTS = "participant_id\tgroup\nsub-1\tdepr\nsub-2\tcontrol\nsub-3\tcontrol\nsub-9\tother\n"


def test_bids(make):
    root = make(
        "sub-1/anat/sub-1_T1w.nii.gz",
        "sub-2/ses-10/anat/sub-2_ses-10_T1w.nii.gz",
        "sub-2/ses-2/anat/sub-2_ses-2_run-10_T1w.nii.gz",
        "sub-2/ses-2/anat/sub-2_ses-2_run-9_T1w.nii.gz",
        "sub-4/anat/sub-4_T1w.nii",
        "sub-9/anat/sub-9_T1w.nii.gz",
        participants__tsv=PARTICIPANTS,
    )
    listing = list_bids(root, "group", ["control", "depr"])
    assert names(listing) == [("sub-1", "depr"), ("sub-2_ses-2", "control")]
    left = {Path(what).name: why for what, why in listing.left_out}
    assert left["sub-2_ses-2_run-10_T1w.nii.gz"].startswith("is another scan of sub-2_ses-2: ")
    assert left["sub-2_ses-10_T1w.nii.gz"] == (
        "is a further session of sub-2: ses-2 is used, the first by number"
    )
    assert listing.taken == (
        ("sub-2_ses-2", "the first of 2 sessions, by number"),
        ("sub-2_ses-2", "sub-2_ses-2_run-9_T1w.nii.gz, the first of 2 scans, by number"),
    )
    assert left["sub-4_T1w.nii"].startswith("has no label in")
    assert left["sub-9_T1w.nii.gz"] == "is of no class: group 'other' in participants.tsv"
    assert left["sub-3"].endswith("but no scan")
    every = list_bids(root, "group", ["control", "depr"], "all")
    assert [scan.subject for scan in every.scans] == ["sub-1", "sub-2", "sub-2"]


SHEET = """ID,M/F,Hand,Age,Educ,SES,MMSE,CDR
OAS1_0001_MR1,F,R,74,2,3,29,0
OAS1_0002_MR1,F,R,80,2,3,20,1
OAS1_0003_MR1,F,R,59,2,3,29,0
OAS1_0004_MR1,M,R,70,,,,0.5
OAS1_0005_MR1,M,R,20,,,,
OAS1_0001_MR2,F,R,74,2,3,29,0
"""


def test_oasis_discs_and_registered_files(make):
    inside = "PROCESSED/MPRAGE/SUBJ_111"
    root = make(
        f"disc1/OAS1_0001_MR1/{inside}/OAS1_0001_MR1_mpr_n4_anon_sbj_111.img",
        f"disc1/OAS1_0001_MR2/{inside}/OAS1_0001_MR2_mpr_n4_anon_sbj_111.img",
        "OAS1_0002_MR1_mpr_n4_anon_sbj_111_normalised.nii.gz",
        "OAS1_0003_MR1_mpr_n4_anon_sbj_111_normalised.nii.gz",
        "OAS1_0004_MR1_mpr_n4_anon_sbj_111_normalised.nii.gz",
        **{"oasis_cross-sectional__csv": SHEET},
    )
    listing = list_oasis(root)
    assert names(listing) == [("OAS1_0001_MR1", "normal"), ("OAS1_0002_MR1", "alzheimer")]
    assert [scan.axes for scan in listing.scans] == ["ASL", None]
    assert [why for _, why in listing.left_out] == [
        "is of no class: Age '59', CDR '0' in oasis_cross-sectional.csv",
        "is of no class: Age '70', CDR '0.5' in oasis_cross-sectional.csv",
        "is a further session of OAS1_0001: MR1 is used, the first by number",
    ]


def test_the_ready_set_is_ad_126(data_root):
    listing = list_oasis(data_root / "mri" / "oasis1_mni2mm")
    labels = [scan.label for scan in listing.scans]
    assert (labels.count("normal"), labels.count("alzheimer")) == (98, 28)
    assert listing.left_out == ()


ADNI = """"Image Data ID","Subject","Group","Sex","Age","Visit"
"I1","002_S_0295","CN","M","85","sc"
"I2","002_S_0295","CN","M","86","m12"
"I3","011_S_0003","AD","M","81","sc"
"I4","022_S_0004","MCI","M","67","sc"
"""


def scan_of_adni(subject, image, date):
    name = f"ADNI_{subject}_MR_MPR__GradWarp__N3__Scaled_Br_2007_S13408_{image}.nii"
    return f"ADNI/{subject}/MPR__GradWarp__N3__Scaled/{date}_07_04_03.0/S13408/{name}"


def test_adni(make):
    root = make(
        scan_of_adni("002_S_0295", "I1", "2006-04-18"),
        scan_of_adni("002_S_0295", "I2", "2007-05-25"),
        scan_of_adni("011_S_0003", "I3", "2005-09-01"),
        scan_of_adni("022_S_0004", "I4", "2005-09-22"),
        collection__csv=ADNI,
    )
    listing = list_adni(root)
    assert names(listing) == [
        ("002_S_0295_2006-04-18_I1", "CN"),
        ("011_S_0003_2005-09-01_I3", "AD"),
    ]
    assert [why.split(":")[0] for _, why in listing.left_out] == [
        "is of no class",
        "is a further session of 002_S_0295",
    ]


def test_adni_table_of_another_subject(make):
    root = make(
        scan_of_adni("002_S_0295", "I3", "2006-04-18"),
        collection__csv=ADNI,
    )
    with pytest.raises(ValueError, match=r"is of 002_S_0295, .*csv says of 011_S_0003"):
        list_adni(root)


def test_plain_folder(make):
    root = make(
        "a.nii.gz",
        "more/b.nii",
        "c.nii",
        labels__csv="subject,file,diagnosis\np1,a.nii.gz,yes\np2,more/b.nii,no\np3,d.nii,no\n",
    )
    listing = list_folder(root, "diagnosis", ["no", "yes"])
    assert names(listing) == [("p1", "yes"), ("p2", "no")]
    assert {Path(what).name for what, _ in listing.left_out} == {"c.nii", "d.nii"}


def test_linked_folders_are_followed_in_every_layout(make):
    root = (
        make(
            "far/site/d/p2.nii",
            *(
                "cohort/p1.nii",
                "far/sub-2/ses-1/anat/sub-2_T1w.nii",
                "cohort/sub-1/anat/sub-1_T1w.nii",
            ),
        )
        / "cohort"
    )
    (root / "labels.csv").write_text("subject,file,group\n1,p1.nii,x\n2,site/d/p2.nii,y\n")
    (root / "participants.tsv").write_text("participant_id\tgroup\nsub-1\tx\nsub-2\ty\n")
    for name in ("site", "sub-2"):
        (root / name).symlink_to(root.parent / "far" / name)
    (root / "site" / "back").symlink_to(root)
    assert names(list_folder(root, "group", ["x", "y"])) == [("1", "x"), ("2", "y")]
    assert names(list_bids(root, "group", ["x", "y"])) == [("sub-1", "x"), ("sub-2_ses-1", "y")]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("subject,file\np1,a.nii\n", "has no column 'group'; it has subject, file"),
        ("subject,file,group\np1,a.nii\n", "line 2: expected 3 fields"),
        ("subject,file,group\np1,a.nii,x,y\n", "line 2: expected 3 fields"),
        ("subject,file,group\np1,a.nii,x\np1,a.nii,y\n", "two labels for a.nii: 'x' and 'y'"),
        ("subject,file,group\n../p1,a.nii,x\n", r"names the subject '\.\./p1'; allowed"),
        ("subject,file,group\np1,a.nii,x\n", "no scan has the label 'y'"),
    ],
)
def test_bad_tables(make, table, message):
    root = make("a.nii", labels__csv=table)
    with pytest.raises(ValueError, match=message):
        list_folder(root, "group", ["x", "y"])


def test_missing_folders_and_tables(make, tmp_path):
    with pytest.raises(FileNotFoundError, match="is no folder; the cohort's scans"):
        list_bids(tmp_path / "none", "group", ["x", "y"])
    with pytest.raises(FileNotFoundError, match=r"participants\.tsv is missing: it is a table"):
        list_bids(make("sub-1/anat/sub-1_T1w.nii"), "group", ["x", "y"])
    with pytest.raises(ValueError, match=r"one table of its collection \(\*\.csv\), has 0"):
        list_adni(tmp_path)
