"""The benchmark over folders: results by hand, resume, processes, faults, the command."""

import json

import numpy as np
import pytest
from PIL import Image

from structnets import cli
from structnets.data.originals.boundary_truth import read_truth
from structnets.metrics.boundary import Settings, evaluate_boundaries, evaluation
from structnets.metrics.boundary.counting import count_matches

FIVE = Settings(thresholds=5)
REPORT = {"ods", "ois", "ap", "r50", "images", "curve", "settings"}


@pytest.fixture
def counted(monkeypatch):
    """Return the list of sizes that were counted, which resuming keeps short."""
    calls = []

    def counting(prediction, truths, settings):
        calls.append(prediction.shape)
        return count_matches(prediction, truths, settings)

    monkeypatch.setattr(evaluation, "count_matches", counting)
    return calls


def evaluate(folders, settings=FIVE, **options):
    return evaluate_boundaries(
        folders.predictions, folders.truth, settings, out=folders.out, **options
    )


def test_scores_by_hand(folders):
    report = evaluate(folders)
    assert set(report) == REPORT
    scores = {image["id"]: image for image in report["images"]}
    # Both annotators of a drew the predicted line; one of b's and c's drew another.
    assert (scores["a"]["precision"], scores["a"]["recall"]) == (1, 1)
    for name in "bc":
        assert (scores[name]["precision"], scores[name]["recall"]) == (1, 0.5)
    assert (report["ods"]["precision"], report["ods"]["recall"]) == (1, pytest.approx(2 / 3))
    assert report["ois"]["f"] == pytest.approx(0.8)


def test_own_ground_truth_in_pictures_scores_as_bsds_files(folders, tmp_path):
    own = tmp_path / "own"
    for path in folders.truth.iterdir():
        (own / path.stem).mkdir(parents=True)
        for number, truth in enumerate(read_truth([path])):
            Image.fromarray(100 * truth.astype(np.uint8)).save(own / path.stem / f"{number}.png")
    expected = evaluate_boundaries(folders.predictions, folders.truth, FIVE)
    assert evaluate_boundaries(folders.predictions, own, FIVE) == expected
    graded = evaluate_boundaries(folders.predictions, own, FIVE, truth_threshold=0.3)
    assert (graded["ods"], graded["settings"]["truth_threshold"]) == (expected["ods"], 0.3)
    with pytest.raises(
        ValueError, match=r"0\.3922 of the largest possible, and the threshold 0\.5"
    ):
        evaluate_boundaries(folders.predictions, own, FIVE, truth_threshold=0.5)


def test_files_of_the_report(folders):
    report = evaluate(folders)
    names = {path.name for path in folders.out.iterdir()}
    assert names == {"boundary.json", "images.csv", "images", "precision_recall.csv"}
    assert json.loads((folders.out / "boundary.json").read_text()) == report
    header, *rows = (folders.out / "precision_recall.csv").read_text().splitlines()
    assert header.startswith("threshold,precision,recall,f,matched_true,true")
    assert len(rows) == 5


def test_unchanged_images_are_not_counted_again(folders, counted):
    first = evaluate(folders)
    assert evaluate(folders) == first
    assert len(counted) == 3
    np.save(folders.predictions / "b.npy", np.zeros((30, 40)))
    assert evaluate(folders) != first
    assert len(counted) == 4
    evaluate(folders, Settings(thresholds=7))
    assert len(counted) == 7


def test_damaged_result_is_counted_again(folders, counted):
    first = evaluate(folders)
    (folders.out / "images" / "a.json").write_text('{"key": 1')
    (folders.out / "images" / "b.json").write_text("[]")
    assert evaluate(folders) == first
    assert len(counted) == 5


def test_progress_counts_to_the_end(folders):
    seen = []
    evaluate(folders, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_every_faulty_image_is_named_and_the_others_are_kept(folders, counted):
    np.save(folders.predictions / "b.npy", np.zeros((40, 30)))
    (folders.truth / "c.mat").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="2 of 3 images cannot be evaluated") as error:
        evaluate(folders)
    assert "b.npy has (40, 30) pixels" in str(error.value)
    assert "c.mat is not a MATLAB file" in str(error.value)
    assert [path.name for path in (folders.out / "images").iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "mask",
    [
        lambda drawn: drawn.astype(np.uint8),
        lambda drawn: 255 * drawn.astype(np.uint16),
        lambda drawn: drawn / 255,
    ],
)
def test_masks_that_no_threshold_finds_are_refused(folders, mask):
    for path in folders.predictions.iterdir():
        path.unlink()
    drawn = read_truth([folders.truth / "a.mat"])[0]
    for name in "abc":
        np.save(folders.predictions / f"{name}.npy", mask(drawn))
    with pytest.raises(
        ValueError, match=r"3 of 3 predictions have no value of at least .* 0 and 255"
    ):
        evaluate(folders)


def test_one_faint_prediction_is_told_and_an_empty_one_is_not(folders, caplog):
    np.save(folders.predictions / "b.npy", np.full((30, 40), 0.01))
    np.save(folders.predictions / "c.npy", np.zeros((30, 40)))
    (folders.predictions / "c.mat").unlink()
    report = evaluate(folders)
    assert report["ods"]["f"] > 0
    (line,) = caplog.messages
    assert line.startswith("1 of 3 predictions have no value of at least the lowest threshold")
    assert "b.npy (0.01)" in line


def test_no_annotators(folders, write_truth):
    write_truth(folders.truth / "a.mat", [])
    with pytest.raises(ValueError, match=r"a.mat has no annotators"):
        evaluate(folders)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"truth_threshold": 128}, r"truth_threshold must lie in \(0, 1\], got 128"),
    ],
)
def test_options_out_of_range(folders, option, message):
    with pytest.raises(ValueError, match=message):
        evaluate(folders, **option)


def test_command_prints_one_document(folders, capsys):
    words = ["boundary-eval", str(folders.predictions), str(folders.truth), "--thresholds", "5"]
    assert cli.main([*words, "--json", "--workers", "1"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == evaluate(folders)
    assert set(report["ods"]) == {"f", "threshold", "precision", "recall"}
    assert set(report["ois"]) == {"f", "precision", "recall"}
    assert set(report["images"][0]) == {"id", "threshold", "precision", "recall", "f"}


def test_command_prints_words_and_records_suppression(folders, capsys):
    words = ["boundary-eval", str(folders.predictions), str(folders.truth), "--nms", "edges"]
    out = ["--out", str(folders.out), "--workers", "1"]
    assert cli.main([*words, *out]) == 0
    assert "suppression: edges" in capsys.readouterr().out
    record = json.loads((folders.out / "boundary.json").read_text())["settings"]
    assert record["nms_numbers"]["radius"] == 1


def test_command_names_a_missing_folder(folders, capsys):
    assert cli.main(["boundary-eval", "absent", str(folders.truth)]) == 2
    assert capsys.readouterr().err.strip().endswith("absent does not exist")


@pytest.mark.slow
def test_processes_give_the_same(folders):
    assert evaluate_boundaries(
        folders.predictions, folders.truth, FIVE, workers=2
    ) == evaluate_boundaries(folders.predictions, folders.truth, FIVE)
