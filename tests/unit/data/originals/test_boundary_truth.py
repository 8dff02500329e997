"""BSDS ground truth: all annotators, or an error that names file and fault."""

import numpy as np
import pytest
from scipy.io import savemat

from structnets.data.originals.boundary_truth import read_bsds_truth

GOOD = np.eye(4, dtype=np.uint8)


@pytest.fixture
def write(tmp_path):
    """Return a writer of one file of annotators, each the fields of a structure."""

    def make(*annotators):
        cell = np.empty((1, len(annotators)), dtype=object)
        for number, fields in enumerate(annotators):
            cell[0, number] = fields
        savemat(tmp_path / "7.mat", {"groundTruth": cell})
        return tmp_path / "7.mat"

    return make


def test_all_annotators_are_read(write):
    truths = read_bsds_truth(write({"Boundaries": GOOD}, {"Boundaries": 1 - GOOD}))
    assert [truth.dtype for truth in truths] == [bool, bool]
    assert [truth.sum() for truth in truths] == [4, 12]


@pytest.mark.parametrize(
    ("saved", "sums"),
    [
        ({"groundTruth": {"Boundaries": GOOD}}, [4]),
        ({"groundTruth": [{"Boundaries": GOOD}, {"Boundaries": 1 - GOOD}]}, [4, 12]),
        ({"groundTruth": {"Boundaries": GOOD.astype(bool), "Segmentation": GOOD}}, [4]),
        ({"groundTruth": np.array([(GOOD,), (1 - GOOD,)], [("Boundaries", object)])}, [4, 12]),
        ({"Boundaries": GOOD}, [4]),
    ],
)
def test_what_was_saved_from_dicts_is_read(tmp_path, saved, sums):
    savemat(tmp_path / "7.mat", saved)
    assert [truth.sum() for truth in read_bsds_truth(tmp_path / "7.mat")] == sums


def test_real_file(data_root):
    path = data_root / "bsds500" / "bench" / "data" / "groundTruth" / "2018.mat"
    if not path.is_file():
        pytest.skip(f"{path} absent")
    truths = read_bsds_truth(path)
    assert [truth.shape for truth in truths] == [(481, 321)] * 5
    assert all(truth.flags.c_contiguous for truth in truths)


@pytest.mark.parametrize(
    ("annotators", "message"),
    [
        ([], "7.mat has no annotators"),
        ([{"boundaries": GOOD}], "annotator 0: expected a structure with the field Boundaries"),
        ([{"Segmentation": GOOD}], "annotator 0: expected a structure with the field Boundaries"),
        ([{"Boundaries": GOOD}, 3.0], "annotator 1: expected a structure"),
        ([{"Boundaries": 2 * GOOD}], "annotator 0: Boundaries has values other than 0 and 1"),
        ([{"Boundaries": "edges"}], "annotator 0: Boundaries is not a matrix|other than 0 and 1"),
        ([{"Boundaries": np.zeros((0, 0))}], "annotator 0: Boundaries is not a matrix"),
        ([{"Boundaries": GOOD}, {"Boundaries": GOOD[1:]}], "annotators of different sizes"),
    ],
)
def test_other_forms_are_refused(write, annotators, message):
    with pytest.raises(ValueError, match=message):
        read_bsds_truth(write(*annotators))


def test_variable_is_needed(tmp_path):
    savemat(tmp_path / "7.mat", {"truth": GOOD})
    with pytest.raises(ValueError, match=r"has no variable groundTruth; found: truth"):
        read_bsds_truth(tmp_path / "7.mat")
