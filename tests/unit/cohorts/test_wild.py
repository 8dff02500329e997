"""Folders as they are in the wild: hidden files, links to nothing, names that nearly match."""

from pathlib import Path

import pytest

from structnets.cohorts.layouts import list_adni, list_bids, list_folder
from structnets.cohorts.naming import near_misses, path_part

TWO = ["sub-1/anat/sub-1_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii.gz"]
TABLE = "participant_id\tgroup\nsub-1\tno\nsub-2\tyes\n"


def listed(root, **options):
    return list_bids(root, "group", ["no", "yes"], **options)


def names(listing):
    return [scan.name for scan in listing.scans]


def reasons(listing):
    return {Path(what).name: why for what, why in listing.left_out}


def visits(subject, *entities):
    return [f"sub-{subject}/{e.split('_')[0]}/anat/sub-{subject}_{e}_T1w.nii.gz" for e in entities]


def test_hidden_files_are_no_scans(make):
    root = make(
        *TWO,
        "sub-2/anat/._sub-2_T1w.nii.gz",
        "sub-2/anat/.sub-2_T1w.nii.gz",
        ".git/sub-1/anat/sub-1_T1w.nii.gz",
        participants__tsv=TABLE,
    )
    listing = listed(root)
    assert [scan.path.name for scan in listing.scans] == ["sub-1_T1w.nii.gz", "sub-2_T1w.nii.gz"]
    assert listing.left_out == ()
    labels = "subject,file,group\np1,sub-1/anat/sub-1_T1w.nii.gz,no\n"
    root = make(labels__csv=labels + "p2,sub-2/anat/sub-2_T1w.nii.gz,yes\n")
    assert list_folder(root, "group", ["no", "yes"]).left_out == ()


def test_hidden_tables_are_no_tables(make):
    root = make("._collection.csv", collection__csv='"Image Data ID","Subject","Group"\n')
    with pytest.raises(ValueError, match="no scan has the label 'CN' or 'AD'"):
        list_adni(root)


def test_a_capital_ending_is_a_scan(make):
    root = make("sub-1/anat/sub-1_T1w.NII.GZ", TWO[1], participants__tsv=TABLE)
    assert names(listed(root)) == ["sub-1", "sub-2"]


def test_scans_that_were_not_fetched_say_so(make):
    root = make(
        *TWO,
        "sub-3/anat/x",
        "sub-4/anat/sub-4_T1w.nii.gz",
        participants__tsv=TABLE + "sub-3\tno\nsub-4\tno\n",
    )
    link = root / "sub-3/anat/sub-3_T1w.nii.gz"
    link.symlink_to("../../.git/annex/objects/q/w/MD5E-s1--0.nii.gz/MD5E-s1--0.nii.gz")
    (root / "sub-4/anat/sub-4_T1w.nii.gz").write_text("/annex/objects/MD5E-s1--0.nii.gz\n")
    listing = listed(root)
    assert names(listing) == ["sub-1", "sub-2"]
    for name in ("sub-3_T1w.nii.gz", "sub-4_T1w.nii.gz"):
        assert reasons(listing)[name].startswith("was not fetched: run `datalad get")
    assert len(listing.left_out) == 2


def test_another_session_does_not_stand_in_for_one_that_was_not_fetched(make):
    root = make(*TWO, *visits(3, "ses-2"), participants__tsv=TABLE + "sub-3\tno\n")
    first = root / "sub-3/ses-1/anat/sub-3_ses-1_T1w.nii.gz"
    first.parent.mkdir(parents=True)
    first.symlink_to(".git/annex/objects/x")
    assert names(listed(root)) == ["sub-1", "sub-2"]
    assert names(listed(root, sessions="all")) == ["sub-1", "sub-2", "sub-3_ses-2"]


@pytest.mark.parametrize(
    ("scan", "label"),
    [("sub-01", "1"), ("sub-01", "sub-1"), ("sub-A5", "a05"), ("sub-3", "Sub-3"), ("sub-3", "003")],
)
def test_names_that_nearly_match_are_both_shown(make, scan, label):
    root = make(*TWO, f"{scan}/anat/{scan}_T1w.nii.gz", participants__tsv=f"{TABLE}{label}\tno\n")
    if scan == "sub-01" and label == "sub-1":
        root = make(participants__tsv="participant_id\tgroup\nsub-001\tno\nsub-2\tyes\n")
        scan, label = "sub-01", "sub-001"
    with pytest.raises(ValueError, match=f"'{scan}' of the scans and '{label}' of the table"):
        listed(root)


def test_names_that_differ_are_no_near_misses():
    assert near_misses(["sub-1", "sub-10"], ["sub-11", "control1", "sub-100"]) == []
    assert near_misses(["a/b.nii.gz"], ["./a/b"]) == [("a/b.nii.gz", "./a/b")]


@pytest.mark.parametrize("name", ["02 copy", "../02", "", "-rf", "é", "x" * 101, "a\nb", ".hidden"])
def test_names_that_may_be_no_part_of_a_path(name):
    with pytest.raises(ValueError, match=r"names the subject .*; allowed: letters, digits"):
        path_part(name, "subject", "labels.csv")


def test_a_blank_in_a_subject_is_told_while_listing(make):
    root = make(*TWO, "sub-2 copy/anat/sub-2_T1w.nii.gz", participants__tsv=TABLE)
    assert reasons(listed(root))["sub-2_T1w.nii.gz"].startswith("has no label")
    root = make(participants__tsv=TABLE + "sub-2 copy\tno\n")
    with pytest.raises(ValueError, match="names the subject 'sub-2 copy'; allowed"):
        listed(root)
    assert names(listed(root, exclude=["sub-2 copy"])) == ["sub-1", "sub-2"]


def test_a_session_follows_the_same_rule(make):
    table = "subject,session,file,group\np1,../../x,a.nii,no\np2,,b.nii,yes\n"
    root = make("a.nii", "b.nii", labels__csv=table)
    with pytest.raises(ValueError, match=r"names the session '\.\./\.\./x'; allowed"):
        list_folder(root, "group", ["no", "yes"])


def test_two_subjects_may_not_share_files(make):
    table = "subject,session,file,group\na,b_c,1.nii,no\na_b,c,2.nii,yes\n"
    root = make("1.nii", "2.nii", labels__csv=table)
    with pytest.raises(ValueError, match="would both be called a_b_c"):
        list_folder(root, "group", ["no", "yes"])


@pytest.mark.parametrize(
    ("sessions", "first"),
    [(("ses-10", "ses-2"), "ses-2"), (("ses-M12", "ses-M6"), "ses-M6")],
)
def test_sessions_are_ordered_by_number(make, sessions, first):
    root = make(*TWO, *visits(3, *sessions), participants__tsv=TABLE + "sub-3\tno\n")
    listing = listed(root)
    assert names(listing)[2] == f"sub-3_{first}"
    assert (f"sub-3_{first}", "the first of 2 sessions, by number") in listing.taken


def test_sessions_are_ordered_by_time_before_number(make):
    root = make(*TWO, *visits(3, "ses-1", "ses-2"), participants__tsv=TABLE + "sub-3\tno\n")
    table = root / "sub-3/sub-3_sessions.tsv"
    table.write_text("session_id\tacq_time\nses-1\t2010-05-01T10:00:00\nses-2\t2009-05-01\n")
    listing = listed(root)
    assert names(listing)[2] == "sub-3_ses-2"
    assert listing.taken[0][1] == "the first of 2 sessions, by time of acquisition"
    table.write_text("session_id\tacq_time\nses-1\t01/05/2010\nses-2\tn/a\n")
    with pytest.raises(
        ValueError, match=r"sessions\.tsv, line 2: acq_time '01/05/2010' is no time"
    ):
        listed(root)


def test_the_times_of_scans_count_too(make):
    root = make(*TWO, *visits(3, "ses-post", "ses-pre"), participants__tsv=TABLE + "sub-3\tno\n")
    for name, time in (("post", "2010-01-02T09:00:00Z"), ("pre", "2010-01-02T10:30:00+02:00")):
        table = root / f"sub-3/ses-{name}/sub-3_ses-{name}_scans.tsv"
        table.write_text(f"filename\tacq_time\nanat/sub-3_ses-{name}_T1w.nii.gz\t{time}\n")
    assert names(listed(root))[2] == "sub-3_ses-pre"


def test_sessions_without_time_or_number_need_a_table(make):
    root = make(*TWO, *visits(3, "ses-post", "ses-pre"), participants__tsv=TABLE + "sub-3\tno\n")
    with pytest.raises(ValueError, match=r"sub-3 has the sessions ses-post, ses-pre, and neither"):
        listed(root)
    assert len(listed(root, sessions="all").scans) == 4
    assert names(listed(root, exclude=["sub-3_ses-post"]))[2] == "sub-3_ses-pre"
    (root / "sub-3/sub-3_sessions.tsv").write_text("session_id\nses-pre\nses-post\n")
    listing = listed(root)
    assert names(listing)[2] == "sub-3_ses-pre"
    assert listing.taken[0][1].endswith("in the order of sub-3_sessions.tsv")


def test_scans_of_one_session_that_are_no_runs_need_a_choice(make):
    inside = "sub-3/anat/sub-3_acq-{}mm_T1w.nii.gz"
    table = TABLE + "sub-3\tno\n"
    root = make(*TWO, inside.format(1), inside.format(2), participants__tsv=table)
    with pytest.raises(ValueError, match=r"sub-3 has several scans of one session.*'exclude'"):
        listed(root)
    assert listed(root, exclude=["*acq-1mm*"]).scans[2].path.name == "sub-3_acq-2mm_T1w.nii.gz"


def test_what_is_excluded_is_said_and_must_exist(make):
    root = make(*TWO, "sub-3/anat/sub-3_T1w.nii.gz", participants__tsv=TABLE + "sub-3\tno\n")
    listing = listed(root, exclude=["sub-3"])
    assert names(listing) == ["sub-1", "sub-2"]
    assert reasons(listing)["sub-3_T1w.nii.gz"] == "is excluded by name"
    with pytest.raises(ValueError, match=r"'exclude' names 'sub-33', and there is no such subject"):
        listed(root, exclude=["sub-33"])
