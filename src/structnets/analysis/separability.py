"""How linearly separable and how contracted features are (thesis section 6.5, Figures 21, 22).

Two classifiers are fitted to spatially averaged, standardised features: a linear support vector
machine, whose penalty is cross-validated on a small subset, and the nearest neighbour; by depth,
and on the first principal components of the last depth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from structnets.analysis.depth_features import DepthFeatures

if TYPE_CHECKING:
    from sklearn.svm import LinearSVC

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
_ROWS = 1000

Array = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Separability:
    """Accuracies of both classifiers at one depth or number of components.

    Attributes
    ----------
    name : str
        Of the depth.
    components : int
        Dimensions of the features the classifiers saw.
    svm, neighbour : float
        Accuracy on the test images in percent.
    penalty : float
        The machine's cross-validated C.
    """

    name: str
    components: int
    svm: float
    neighbour: float
    penalty: float


def by_depth(
    train: DepthFeatures,
    test: DepthFeatures,
    subset: int = 1000,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> Iterator[Separability]:
    """Yield the accuracies of every depth in order (Figure 21).

    Parameters
    ----------
    train, test : DepthFeatures
        Of the same depths of one network.
    subset : int
        Training images on which the penalty is cross-validated.
    seed : int
        Of the subset and the machine.
    names : sequence of str, optional
        These depths alone.
    """
    _check_depths(train, test)
    for name in train.names if names is None else names:
        fitted, seen = _standardised(train[name], test[name])
        yield _accuracies(name, fitted, train.labels, seen, test.labels, subset, seed)


def by_components(
    train: DepthFeatures,
    test: DepthFeatures,
    counts: Sequence[int],
    name: str | None = None,
    subset: int = 1000,
    seed: int = 0,
) -> Iterator[Separability]:
    """Yield the accuracies on the first d principal components for every d (Figure 22).

    Parameters
    ----------
    train, test : DepthFeatures
        Of the same depths of one network.
    counts : sequence of int
        The values of d; at most the number of features and of training images.
    name : str, optional
        Depth; by default the last.
    subset, seed
        As in `by_depth`.

    Raises
    ------
    ValueError
        If a count is too small or too large.
    """
    from sklearn.decomposition import PCA

    _check_depths(train, test)
    name = name or train.names[-1]
    fitted, seen = _standardised(train[name], test[name])
    most = min(fitted.shape)
    for count in counts:
        if not 1 <= count <= most:
            raise ValueError(f"counts must be from 1 to {most} components, got {count}")
    projection = PCA(max(counts), random_state=seed).fit(fitted)
    fitted, seen = projection.transform(fitted), projection.transform(seen)
    for count in counts:
        parts = fitted[:, :count], seen[:, :count]
        yield _accuracies(name, parts[0], train.labels, parts[1], test.labels, subset, seed)


def _check_depths(train: DepthFeatures, test: DepthFeatures) -> None:
    if train.names != test.names:
        raise ValueError(
            f"train and test features are of different depths: {list(train.names)} and "
            f"{list(test.names)}"
        )


def _standardised(train: Array, test: Array) -> tuple[Array, Array]:
    """Give every feature mean 0 and variance 1 over the training images."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    return np.asarray(scaler.transform(train)), np.asarray(scaler.transform(test))


def _accuracies(
    name: str, train: Array, labels: Labels, test: Array, truth: Labels, subset: int, seed: int
) -> Separability:
    penalty = _cross_validated(train, labels, subset, seed)
    machine = _machine(penalty, seed).fit(train, labels)
    return Separability(
        name,
        train.shape[1],
        _percent_equal(np.asarray(machine.predict(test)), truth),
        _percent_equal(nearest_labels(train, labels, test), truth),
        penalty,
    )


def _percent_equal(found: Labels, truth: Labels) -> float:
    return 100 * float(np.mean(np.equal(found, truth)))


def _machine(penalty: float, seed: int) -> LinearSVC:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=penalty, dual="auto", tol=1e-3, max_iter=20_000, random_state=seed)


def _cross_validated(features: Array, labels: Labels, subset: int, seed: int) -> float:
    """Return the best penalty by three folds of a random subset."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(labels))[: min(subset, len(labels))]
    counts = np.bincount(labels[chosen])
    if len(counts[counts > 0]) < 2 or counts[counts > 0].min() < 3:
        raise ValueError(
            f"the {len(chosen)} images for cross-validation need two classes with three images "
            f"each, got {counts.tolist()} per class: raise subset"
        )
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    scores = [
        cross_val_score(_machine(c, seed), features[chosen], labels[chosen], cv=folds).mean()
        for c in PENALTIES
    ]
    return PENALTIES[int(np.argmax(scores))]


def nearest_labels(train: Array, labels: Labels, test: Array) -> Labels:
    """Return the label of each test point's nearest training point (Euclidean, exact)."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(train)
    parts = [
        labels[index.kneighbors(test[start : start + _ROWS], return_distance=False)[:, 0]]
        for start in range(0, len(test), _ROWS)
    ]
    return np.concatenate(parts)
