"""Scores of two-class decisions, fold by fold and pooled."""

import numpy as np
import pytest

from structnets.metrics.binary import binary_scores

LABELS = np.array([1, 1, 1, 0, 0, 0, 0, 0])
SCORES = np.array([2.0, 0.5, -1.0, 1.0, -0.2, -0.5, -1.0, -3.0])


def test_by_hand():
    found = binary_scores(LABELS, SCORES)
    assert found["accuracy"] == pytest.approx(100 * 6 / 8)
    assert found["tpr"] == pytest.approx(100 * 2 / 3)
    assert found["spc"] == pytest.approx(100 * 4 / 5)
    assert found["balanced_accuracy"] == pytest.approx((200 / 3 + 80) / 2)
    # Pairs in order: 2.0 beats 5, 0.5 beats 4, -1.0 beats 1 and ties with 1.
    assert found["auc"] == pytest.approx(100 * 10.5 / 15)


def test_auc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    scores = np.round(rng.normal(size=200) + labels, 1)
    assert binary_scores(labels, scores)["auc"] == pytest.approx(
        100 * roc_auc_score(labels, scores)
    )


def test_auc_does_not_depend_on_the_threshold_or_scale():
    first = binary_scores(LABELS, SCORES)["auc"]
    assert binary_scores(LABELS, np.exp(SCORES), threshold=1.0)["auc"] == pytest.approx(first)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([], [], "non-empty"),
        ([0, 1], [1.0], r"got \(2,\) and \(1,\)"),
        ([0, 2], [1.0, 2.0], r"must be 0 or 1, got \[0, 2\]"),
        ([0, 1], [1.0, np.nan], "1 scores are NaN"),
    ],
)
def test_bad_input(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        binary_scores(np.array(labels), np.array(scores))
