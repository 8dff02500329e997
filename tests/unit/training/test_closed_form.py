"""Classifiers on fixed features: distances by hand, cross-validation, both kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from structnets.data.batches.array_examples import Images
from structnets.training.closed_form import AffineSpaces, LinearScores, LogisticScores, extract, fit

Samples = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture
def planes() -> Samples:
    """Sixty samples of three planes in six dimensions, all of mean zero, with a little noise."""
    torch.manual_seed(0)
    labels = torch.arange(60) % 3
    features = 0.05 * torch.randn(60, 6)
    for c in range(3):
        features[labels == c, 2 * c : 2 * c + 2] += torch.randn(20, 2)
    return features, labels


@pytest.fixture
def blobs() -> Samples:
    """Sixty samples around three corners."""
    torch.manual_seed(1)
    labels = torch.arange(60) % 3
    return 3 * torch.eye(3)[labels] + 0.3 * torch.randn(60, 3), labels


def recipe(classifier: str, grid: list[float], folds: int = 4) -> dict[str, Any]:
    return {"classifier": classifier, "grid": grid, "folds": folds}


def accuracy(classifier: Callable[..., torch.Tensor], samples: Samples) -> float:
    features, labels = samples
    return float((classifier(features).argmax(1) == labels).double().mean())


def test_distance_does_not_grow_with_the_dimension(planes: Samples) -> None:
    features, labels = planes
    spaces = AffineSpaces(features, labels, 3, 5)
    scores = torch.stack([spaces(features, dims) for dims in range(6)])
    rounding = 1e-5  # of squared distances up to 14, in float32
    assert bool((scores[1:] >= scores[:-1] - rounding).all())
    assert float(scores.max()) <= rounding


def test_samples_of_a_class_span_its_space(planes: Samples) -> None:
    """With as many directions as samples allow, the training samples lie in their space."""
    features, labels = planes
    few = features[:12], labels[:12]
    own = AffineSpaces(*few, 3, 12)(few[0])[torch.arange(12), few[1]]
    torch.testing.assert_close(own, torch.zeros(12), rtol=0, atol=1e-5)


def test_pca_finds_the_dimension_of_the_classes(planes: Samples) -> None:
    """All means agree, so that zero dimensions cannot tell the classes apart, and two can."""
    features, labels = planes
    classifier, chosen = fit(recipe("pca", [0, 1, 2, 6]), features, labels, 3, seed=0)
    assert chosen["parameter"] == 2
    assert chosen["accuracy"] > 90
    assert accuracy(classifier, planes) > 0.9


def test_smaller_parameter_wins_a_tie(blobs: Samples) -> None:
    features, labels = blobs
    _, chosen = fit(recipe("pca", [2, 0, 1]), features, labels, 3, seed=0)
    assert chosen == {"parameter": 0, "accuracy": 100.0}


@pytest.mark.parametrize("kind", ["svm", "logistic"])
@pytest.mark.parametrize("grid", [[1.0], [1e-4, 0.1, 1.0]])
def test_linear_classifier_separates_what_is_separable(
    kind: str, grid: list[float], blobs: Samples
) -> None:
    features, labels = blobs
    classifier, chosen = fit(recipe(kind, grid), features, labels, 3, seed=0)
    assert chosen["parameter"] in grid
    assert chosen["accuracy"] == 100.0
    assert accuracy(classifier, blobs) == 1.0


@pytest.mark.parametrize("kind", ["pca", "svm"])
def test_scale_of_a_feature_does_not_matter(kind: str, blobs: Samples) -> None:
    features, labels = blobs
    factors = torch.tensor([1.0, 1000.0, 0.001])
    plain, _ = fit(recipe(kind, [1.0]), features, labels, 3, seed=0)
    scaled, _ = fit(recipe(kind, [1.0]), features * factors, labels, 3, seed=0)
    torch.testing.assert_close(scaled(features * factors), plain(features), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["pca", "svm", "logistic"])
def test_fit_follows_the_seed(kind: str, blobs: Samples) -> None:
    features, labels = blobs
    one, other = (fit(recipe(kind, [1.0]), features, labels, 3, seed=4)[0] for _ in range(2))
    assert torch.equal(one(features), other(features))


def test_distances_by_hand() -> None:
    """Class 0 is the line y = 1, class 1 the point (0, 0)."""
    features = torch.tensor([[-1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    spaces = AffineSpaces(features, torch.tensor([0, 0, 1]), 2, 1)
    scores = spaces(torch.tensor([[5.0, 3.0]]))
    torch.testing.assert_close(scores, torch.tensor([[-4.0, -34.0]]))
    torch.testing.assert_close(spaces(torch.tensor([[5.0, 3.0]]), 0)[0, 0], torch.tensor(-29.0))


@pytest.mark.parametrize("features", [3, 40], ids=["fewer features than directions", "more"])
def test_a_class_of_repeated_samples_has_the_directions_in_which_it_varies(features: int) -> None:
    """Three distinct samples in four copies span a plane, whatever rounding leaves of the rest."""
    few = torch.randn(3, features)
    samples = torch.cat([few] * 4 + [torch.randn(12, features)])
    labels = torch.arange(2).repeat_interleave(12)
    spaces = AffineSpaces(samples, labels, 2, 9)
    assert int(spaces.axes[0].any(1).sum()) == 2
    plane = torch.linalg.qr((few[1:] - few[0]).T).Q
    away = torch.randn(1, features)
    centred = away - few.mean(0)
    expected = -(centred - centred @ plane @ plane.T).square().sum()
    torch.testing.assert_close(spaces(away)[0, 0], expected, rtol=1e-4, atol=1e-4)


def test_svm_equals_scikit_learn_s(blobs: Samples) -> None:
    from sklearn.svm import LinearSVC

    features, labels = blobs
    machine = LinearSVC(C=0.5, dual="auto", random_state=2, max_iter=20_000)
    machine.fit(features.numpy(), labels.numpy())
    ours = LinearScores(features, labels, 3, 0.5, 2)(features)
    expected = machine.decision_function(features.numpy())
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_equals_scikit_learn_s(classes: int, blobs: Samples) -> None:
    """Also where the samples are fewer than their dimensions."""
    from sklearn.linear_model import LogisticRegression

    features, labels = blobs
    kept = (labels < classes).nonzero().flatten()[:30]
    wide = torch.cat([features[kept], torch.randn(30, 50)], 1)
    machine = LogisticRegression(C=0.5, class_weight="balanced", max_iter=5000, tol=1e-8)
    machine.fit(wide.double().numpy(), labels[kept].numpy())
    ours = LogisticScores(wide, labels[kept], classes, 0.5)(wide)
    expected = machine.predict_proba(wide.double().numpy())
    np.testing.assert_allclose(ours.softmax(1).numpy(), expected, atol=2e-3)


def test_logistic_regression_weighs_classes_alike() -> None:
    """Of 3 samples at 1 and 1 at 0, the boundary lies in the middle."""
    features, labels = torch.tensor([[1.0], [1.0], [1.0], [0.0]]), torch.tensor([1, 1, 1, 0])
    scores = LogisticScores(features, labels, 2, 100.0)(torch.tensor([[0.5]]))
    torch.testing.assert_close(scores, torch.zeros(1, 2), rtol=0, atol=1e-2)


def test_two_classes_give_two_scores(blobs: Samples) -> None:
    """Scikit-learn keeps one hyperplane for two classes."""
    features, labels = blobs
    pair = features[labels < 2], labels[labels < 2]
    scores = LinearScores(*pair, 2, 1.0, 0)
    assert scores(pair[0]).shape == (40, 2)
    assert accuracy(scores, pair) == 1.0


def test_features_of_all_batches_in_order() -> None:
    labels = np.arange(600) % 10
    images = np.repeat(labels.astype(np.uint8), 4).reshape(600, 1, 2, 2)
    chosen = np.arange(600)[::-1].copy()
    features, found = extract(torch.nn.Flatten(), Images(images, labels, chosen))
    assert features.shape == (600, 4)
    np.testing.assert_array_equal(found.numpy(), labels[::-1])
    np.testing.assert_allclose(features[:, 0].numpy(), labels[::-1] / 255, rtol=1e-6)


@pytest.mark.parametrize("kind", ["pca", "svm", "logistic"])
def test_class_without_a_sample_is_named(kind: str, blobs: Samples) -> None:
    features, labels = blobs
    few = labels < 2
    with pytest.raises(ValueError, match="2 of 3 classes"):
        fit(recipe(kind, [1.0]), features[few], labels[few], 3, seed=0)
