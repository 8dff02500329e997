"""Invariant arrays, their translated neighbours, and how far translations are from covariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from structnets.analysis.attribute_covariance import covariance_deviations
from structnets.analysis.attribute_translation import (
    class_kept,
    class_kept_by_chance,
    invariant_arrays,
    low_pass,
    translated_neighbours,
)
from structnets.models.hcnn import HCNN, hcnn


@pytest.fixture(scope="module")
def model() -> HCNN:
    torch.manual_seed(0)
    options = {"values": 8, "terms": 3, "support": (5, 7), "depth": 7, "downsampling": (4,)}
    net = hcnn(5, padding="circular", activation=True, **options)
    with torch.no_grad():
        for _ in range(200):
            net(torch.randn(4, 3, 8, 8))
    return net.eval()


@pytest.fixture
def arrays() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 4, 8)).astype(np.float32)


def test_invariant_arrays_are_the_layers_however_batched(model: HCNN) -> None:
    images = torch.randn(7, 3, 8, 8)
    found = invariant_arrays(model, images.split(3), [3, 5, 6], 7)
    assert {j: a.shape for j, a in found.items()} == {3: (7, 4, 8), 5: (7, 4, 8), 6: (7, 4, 5)}
    with torch.no_grad():
        x5 = list(model.arrays(images))[4]
    np.testing.assert_allclose(found[5], x5[:, 2, 2].sum(1), rtol=1e-4, atol=1e-5)


def test_neighbours_are_those_of_a_search_by_hand(arrays: np.ndarray) -> None:
    found = translated_neighbours(arrays, [3, 29], [0, 1, 3], width=1)
    for row, query in enumerate([3, 29]):
        for column, shift in enumerate([0, 1, 3]):
            moved = np.roll(arrays[query], shift, axis=0)
            distances = np.linalg.norm((arrays - moved).reshape(30, -1), axis=1)
            distances[query] = np.inf
            assert found.nearest[row, column] == distances.argmin()
            assert found.distances[row, column] == pytest.approx(distances.min(), rel=1e-5)


def test_a_planted_translation_is_found(arrays: np.ndarray) -> None:
    arrays[11] = np.roll(arrays[5], 2, axis=0)
    found = translated_neighbours(arrays, [5], [2])
    assert found.nearest[0, 0] == 11
    assert found.distances[0, 0] == pytest.approx(0, abs=1e-5)


def test_low_pass_by_hand() -> None:
    array = np.array([[[3.0], [0.0], [0.0], [6.0]]], np.float32)
    np.testing.assert_allclose(low_pass(array)[0, :, 0], [3, 1, 2, 3])
    np.testing.assert_allclose(low_pass(array, 1), array)


def test_class_kept_by_hand() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    arrays = np.array([[0], [1], [5], [6], [20]], np.float32)[:, :, None]
    found = translated_neighbours(arrays, [0, 1, 2, 4], [0], width=1)
    assert found.nearest[:, 0].tolist() == [1, 0, 3, 3]
    np.testing.assert_allclose(class_kept(found, labels), [1.0])
    np.testing.assert_allclose(class_kept(found, np.array([0, 1, 1, 1, 0])), [0.25])
    assert class_kept_by_chance(labels, [0, 2]) == pytest.approx((1 / 4 + 2 / 4) / 2)
    with pytest.raises(ValueError, match="queries must be from 0 to 4, got -1"):
        class_kept_by_chance(labels, [-1])


def test_deviations_vanish_where_the_proposition_holds(model: HCNN) -> None:
    rows = covariance_deviations(model, torch.randn(6, 3, 8, 8), [3, 4], [1, 2, 4])
    table = {(row.depth, row.attribute, row.shift): row for row in rows}
    assert len(table) == 18
    for depth in (3, 4):
        for attribute, step in (("v_{j-2}", 1), ("v_{j-1}", 2), ("v_j", 4)):
            exact = table[depth, attribute, 4 if step == 4 else step]
            assert exact.scores < 1e-4
            assert exact.next_layer < 1e-4
            assert exact.predictions_kept == 1
        assert table[depth, "v_j", 2].next_layer < 1e-4
        assert table[depth, "v_j", 2].scores > 1e-3
        assert table[depth, "v_j", 1].next_layer > 1e-2


@pytest.mark.parametrize(
    ("depths", "count", "message"),
    [
        ([2], 4, "depths must be from 3 to 6, got 2"),
        ([7], 4, "depths must be from 3 to 6, got 7"),
        ([3], 5, "count is 5, but the batches hold 4"),
        ([3], 3, "count is 3, but the batches hold at least 4"),
    ],
)
def test_bad_requests_are_named(model: HCNN, depths: list[int], count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        invariant_arrays(model, torch.randn(4, 3, 8, 8).split(2), depths, count)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda a: a[:1], {}, "at least 2 images, got 1"),
        (lambda a: a * np.nan, {}, "finite; has the training diverged"),
        (lambda a: a, {"queries": [30]}, "queries must be from 0 to 29, got 30"),
        (lambda a: a, {"width": 2}, "width must be odd and from 1 to the axis' 4, got 2"),
    ],
)
def test_bad_searches_are_named(arrays: np.ndarray, change, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        translated_neighbours(change(arrays), **{"queries": [0], "shifts": [1], **arguments})


def test_bad_deviations_are_named(model: HCNN) -> None:
    images = torch.randn(2, 3, 8, 8)
    with pytest.raises(ValueError, match="depths must be from 3 to 5, got 6"):
        covariance_deviations(model, images, [6], [1])
    with pytest.raises(ValueError, match="at least 2, got 1"):
        covariance_deviations(model, images[:1], [3], [1])
    with pytest.raises(ValueError, match="got 'u'"):
        covariance_deviations(model, images, [3], [1], ["u"])
    with pytest.raises(ValueError, match="scores must be finite"):
        covariance_deviations(model, images * torch.nan, [3], [1])
