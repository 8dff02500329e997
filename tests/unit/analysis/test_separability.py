"""Classifiers by depth and by number of components, on made features whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from structnets.analysis.depth_features import DepthFeatures
from structnets.analysis.separability import by_components, by_depth, nearest_labels


def made(folder: Path, images: int, seed: int, classes: int = 3) -> DepthFeatures:
    """Two depths: noise, and classes ten standard deviations apart along one direction."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    noise = rng.standard_normal((images, 8)).astype(np.float32)
    separated = noise.copy()
    separated[:, :3] += 10 * np.eye(3)[labels]
    for i, values in enumerate((noise, separated)):
        np.save(folder / f"{i:04d}.npy", values)
    return DepthFeatures(folder, ("first", "last"), labels)


@pytest.fixture
def features(tmp_path: Path) -> tuple[DepthFeatures, DepthFeatures]:
    return made(tmp_path / "train", 90, 0), made(tmp_path / "test", 60, 1)


def test_separated_classes_are_separated(features: tuple[DepthFeatures, DepthFeatures]) -> None:
    first, last = by_depth(*features, subset=60)
    assert (first.name, last.name, last.components) == ("first", "last", 8)
    assert (last.svm, last.neighbour) == (100, 100)
    assert first.svm < 60
    assert first.neighbour < 60


def test_two_components_hold_three_classes(features: tuple[DepthFeatures, DepthFeatures]) -> None:
    one, two, all_ = by_components(*features, counts=[1, 2, 8])
    assert [found.components for found in (one, two, all_)] == [1, 2, 8]
    assert min(two.svm, two.neighbour, all_.svm) > 95
    assert max(one.svm, one.neighbour) < 90


def test_nearest_label_by_hand() -> None:
    train, test = np.array([[0.0], [1.0], [5.0]]), np.array([[0.4], [4.0]])
    assert nearest_labels(train, np.array([7, 8, 9]), test).tolist() == [7, 9]


def test_bad_input_is_named(features: tuple[DepthFeatures, DepthFeatures], tmp_path: Path) -> None:
    train, test = features
    with pytest.raises(ValueError, match="from 1 to 8 components, got 9"):
        list(by_components(train, test, [9]))
    with pytest.raises(ValueError, match="the 4 images for cross-validation need two classes"):
        list(by_depth(train, test, subset=4))
    other = DepthFeatures(tmp_path, ("first",), test.labels)
    with pytest.raises(ValueError, match=r"different depths: \['first', 'last'\] and \['first'\]"):
        list(by_depth(train, other))
