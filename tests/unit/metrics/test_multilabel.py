"""Scores of labels against scikit-learn's, by hand, and by chance."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from structnets.metrics.multilabel import (
    average_precision,
    by_chance,
    scores_of_each,
    scores_of_labels,
)

RANDOM = np.random.default_rng(0)
SETS = (RANDOM.random((60, 4)) < [0.1, 0.3, 0.5, 0.9]).astype(np.uint8)
# With ties, and with an answer that knows something.
LOGITS = np.round(RANDOM.normal(SETS - 0.5, 1.0), 1)


def test_each_label_is_scored_as_scikit_learn_does():
    found = scores_of_each(SETS, LOGITS)
    for n in range(4):
        has, said = SETS[:, n], LOGITS[:, n]
        assert found["ap"][n] == pytest.approx(100 * average_precision_score(has, said))
        assert found["auc"][n] == pytest.approx(100 * roc_auc_score(has, said))
        assert found["f1"][n] == pytest.approx(100 * f1_score(has, said > 0))
    whole = scores_of_labels(SETS, LOGITS)
    assert whole["map"] == pytest.approx(found["ap"].mean())
    exact = ((LOGITS > 0) == SETS).all(1).mean()
    assert whole["exact_match"] == pytest.approx(100 * exact)


def test_the_same_of_all_reaches_how_frequent_a_label_is():
    same = scores_of_each(SETS, np.zeros(SETS.shape))
    np.testing.assert_allclose(same["ap"], 100 * SETS.mean(0))
    np.testing.assert_allclose(same["auc"], 50)


def test_labels_of_all_or_none_do_not_count():
    sets = np.concatenate([SETS, np.ones((60, 1)), np.zeros((60, 1))], axis=1)
    logits = np.concatenate([LOGITS, np.ones((60, 2))], axis=1)
    assert np.isnan(scores_of_each(sets, logits)["ap"][4:]).all()
    for key in ("map", "auc", "f1"):
        assert scores_of_labels(sets, logits)[key] == scores_of_labels(SETS, LOGITS)[key]
    assert scores_of_labels(sets[:, 4:], logits[:, 4:]) == {"exact_match": 0.0}


def test_many_rows_of_labels_are_scored_at_once():
    rows = RANDOM.permuted(np.tile(SETS[:, 1], (5, 1)), axis=1)
    each = [100 * average_precision_score(row, LOGITS[:, 1]) for row in rows]
    np.testing.assert_allclose(average_precision(rows, LOGITS[:, 1]), each)


def test_infinite_scores_come_together_and_what_is_no_number_has_no_precision():
    has, sure = np.array([0, 1, 0, 1]), np.array([np.inf, np.inf, -np.inf, -np.inf])
    assert average_precision(has, sure) == 50 == average_precision(has[::-1], sure)
    assert average_precision(has, np.array([0, 200, 0, 1], np.uint8)) == 100
    assert np.isnan(average_precision(np.stack([has] * 3), np.where(has, np.nan, 0))).all()


def test_chance_is_told_from_knowledge():
    assert by_chance(SETS, LOGITS[None]) < 0.01
    unknowing = [by_chance(SETS, RANDOM.normal(size=(2, 60, 4)), draws=200) for _ in range(20)]
    assert 0.2 < np.mean(unknowing) < 0.8
    assert by_chance(SETS, np.zeros((1, 60, 4))) == 1


def test_groups_are_shuffled_and_not_their_samples():
    """Who knows nothing but that a group is alike is told so; by samples it would seem to know."""
    random = np.random.default_rng(0)
    sizes, apart, together = [6, 9, 12, 6, 9, 12, 6, 9], [], []
    for _ in range(30):
        of = np.repeat(np.arange(8), sizes)
        sets = (random.normal(size=(8, 2))[of] + random.normal(0, 0.1, (69, 2)) > 0).astype(int)
        said = random.normal(size=(1, 8, 2))[:, of] + random.normal(0, 0.1, (1, 69, 2))
        apart.append(by_chance(sets, said, draws=60))
        together.append(by_chance(sets, said, draws=60, groups=of.tolist()))
    assert np.mean(np.array(apart) < 0.05) > 0.15
    assert np.mean(np.array(together) < 0.05) < 0.1
    knowing = sets - 0.5 + random.normal(0, 0.1, sets.shape)
    assert by_chance(sets, knowing[None], draws=60, groups=of.tolist()) < 0.05
    assert by_chance(sets[:2] * 0, knowing[None, :2], groups=[0, 1]) == 1
