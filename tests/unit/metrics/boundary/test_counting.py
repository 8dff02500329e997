"""Counts of one image: by hand, by invariance, and what is refused."""

import numpy as np
import pytest

from structnets.metrics.boundary import Settings, count_matches, threshold_values

FIVE = Settings(thresholds=5)


@pytest.fixture
def line():
    mask = np.zeros((30, 40), dtype=bool)
    mask[10, 5:35] = True
    return mask


@pytest.fixture
def scene():
    """Smooth random strengths and two annotators."""
    rng = np.random.default_rng(3)
    return rng.random((40, 50)), [rng.random((40, 50)) < 0.05 for _ in range(2)]


def test_more_annotators_never_lower_precision(scene):
    strength, truths = scene
    one, two = count_matches(strength, truths[:1]), count_matches(strength, truths)
    assert (two[:, 2] >= one[:, 2]).all()
    assert np.array_equal(two[:, 3], one[:, 3])


def test_order_of_thresholds_is_no_part_of_the_counts(scene):
    # With one threshold in the middle of three, the matcher starts from nothing.
    strength, truths = scene
    alone = count_matches(strength, truths, Settings(thresholds=1))
    among = count_matches(strength, truths, Settings(thresholds=3))
    assert np.array_equal(alone[0, [0, 1, 3]], among[1, [0, 1, 3]])


def test_line_by_hand(line):
    near = np.roll(line, 1, axis=0)
    far = np.roll(line, 9, axis=0)
    counts = count_matches(0.4 * line, [near, far], Settings(5, max_distance=0.03))
    assert counts.tolist() == [[30, 60, 30, 30]] * 2 + [[0, 60, 0, 0]] * 3


def test_thinning_is_an_option(line):
    thick = line | np.roll(line, 1, axis=0) | np.roll(line, 2, axis=0)
    counts = [count_matches(thick.astype(float), [line], Settings(1, thin=on)) for on in (1, 0)]
    assert counts[0][0, 3] < 35
    assert counts[1][0, 3] == 90


def test_all_zero_prediction(line):
    assert count_matches(np.zeros(line.shape), [line], FIVE).tolist() == [[0, 30, 0, 0]] * 5


def test_empty_ground_truth(line):
    counts = count_matches(1.0 * line, [np.zeros_like(line)], FIVE)
    assert counts.tolist() == [[0, 0, 0, 30]] * 5


def test_thresholds_round_as_matlab_does():
    values = threshold_values(99)
    assert values[0] == 0.01
    assert values[-1] == 0.99
    assert np.allclose(values, np.arange(1, 100) / 100)
    assert values[19] <= 51 / 255


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (np.zeros((30, 41)), "prediction has .30, 41. pixels, truth 0 has .30, 40."),
        (np.zeros((40, 30)), "seems transposed"),
        (np.zeros((61, 81)), "must be a variable named ucm2"),
        (np.zeros((30, 40), int), "has type int64; allowed: floating point"),
        (np.zeros((1, 30, 40)), r"has shape \(1, 30, 40\)"),
        (np.full((30, 40), np.nan), "has 1200 values that are NaN or infinite"),
        (np.full((30, 40), 255.0), "has values in 255..255; allowed: 0..1"),
    ],
)
def test_other_predictions_are_refused(line, prediction, message):
    with pytest.raises(ValueError, match=message):
        count_matches(prediction, [line])


def test_annotators_are_needed(line):
    with pytest.raises(ValueError, match="at least one annotator"):
        count_matches(1.0 * line, [])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"thresholds": 0}, "thresholds must lie in 1..999, got 0"),
        ({"max_distance": 0.75}, r"max_distance must lie in \(0, 0.1\], got 0.75"),
        ({"nms": "canny"}, "unknown suppression 'canny'; allowed: none, edges, hed"),
    ],
)
def test_settings_out_of_range_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        Settings(**option)
