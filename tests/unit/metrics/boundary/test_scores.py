"""Scores from counts, by hand."""

import numpy as np
import pytest

from structnets.metrics.boundary import summarize
from structnets.metrics.boundary.scores import average_precision, best_point, recall_at_half

THRESHOLDS = np.array([0.25, 0.5, 0.75])
# precision .5, .8, 1 and recall .8, .6, .2
COUNTS = np.array([[80, 100, 80, 160], [60, 100, 64, 80], [20, 100, 20, 20]])
NOTHING = np.zeros((3, 4), dtype=np.int64)


def test_best_point_lies_between_thresholds():
    best = best_point(THRESHOLDS, COUNTS)
    assert 0.25 < best["threshold"] < 0.75
    assert best["f"] >= 2 * 0.8 * 0.6 / 1.4
    assert best["f"] == pytest.approx(
        2 * best["precision"] * best["recall"] / (best["precision"] + best["recall"])
    )


def test_one_threshold_is_its_own_best():
    best = best_point(THRESHOLDS[:1], COUNTS[:1])
    assert best == {
        "threshold": 0.25,
        "precision": 0.5,
        "recall": 0.8,
        "f": pytest.approx(0.8 / 1.3),
    }


def test_average_precision_by_hand():
    # Trapezoids from recall .2 to .8 sampled every .01, nothing beyond.
    recalls = np.arange(20, 81) / 100
    expected = 0.01 * np.interp(recalls, [0.2, 0.6, 0.8], [1, 0.8, 0.5]).sum()
    assert average_precision(COUNTS) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("counts", "expected"), [(COUNTS, 0.8), (COUNTS[1:], 0.6), (NOTHING, None)]
)
def test_recall_at_half_by_hand(counts, expected):
    assert recall_at_half(counts) == (None if expected is None else pytest.approx(expected))


def test_optimal_image_scale_takes_each_image_at_its_best():
    other = COUNTS[::-1]
    report = summarize(["a", "b"], np.stack([COUNTS, other]), THRESHOLDS)
    assert report["ois"]["precision"] == pytest.approx(0.8)
    assert report["ois"]["recall"] == pytest.approx(0.6)
    assert report["ois"]["f"] >= report["ods"]["f"] - 1e-3
    assert [image["id"] for image in report["images"]] == ["a", "b"]


def test_nothing_predicted_or_nothing_true_scores_zero():
    unmatched = np.array([[0, 0, 0, 30]] * 3)
    for counts in (NOTHING, unmatched, np.array([[0, 30, 0, 0]] * 3)):
        report = summarize(["a"], counts[None], THRESHOLDS)
        assert report["ods"]["f"] == report["ois"]["f"] == report["ap"] == 0
        assert report["r50"] is None
        assert report["images"][0]["threshold"] == 0.25


def test_an_image_is_needed():
    with pytest.raises(ValueError, match="no image"):
        summarize([], np.zeros((0, 3, 4)), THRESHOLDS)
