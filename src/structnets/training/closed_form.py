"""Classifiers fitted on fixed features, their parameter cross-validated on the training subset.

Two classifiers of the scattering literature: nearest affine space per class (PCA), whose
parameter is the number of dimensions, and a linear SVM, whose parameter is C. And logistic
regression, whose parameter is C, the linear baseline of Table 5.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples
from structnets.data.batches.seeding import epoch_order
from structnets.specs.resolved import ClosedFormSettings

logger = logging.getLogger(__name__)
BATCH = 250
Score = Callable[[Tensor], Tensor]


class AffineSpaces(nn.Module):
    """Assign a sample to the class whose affine principal space is nearest.

    Parameters
    ----------
    features : Tensor, shape (N, D)
        Training samples.
    labels : Tensor, shape (N,)
        Their classes.
    classes : int
        Number of classes.
    dims : int
        Largest number of principal directions; a class that varies in fewer has fewer.
    """

    def __init__(self, features: Tensor, labels: Tensor, classes: int, dims: int) -> None:
        super().__init__()
        if (present := len(labels.unique())) != classes:
            raise ValueError(f"training subset has {present} of {classes} classes")
        means = torch.stack([features[labels == c].mean(0) for c in range(classes)])
        axes = features.new_zeros(classes, dims, features.shape[1])
        for c in range(classes):
            centred = features[labels == c] - means[c]
            _, spread, directions = torch.linalg.svd(centred, full_matrices=False)
            # Others are what rounding makes of nothing: any direction.
            least = spread[0] * max(centred.shape) * torch.finfo(spread.dtype).eps
            count = min(dims, int((spread > least).sum()), len(centred) - 1)
            axes[c, :count] = directions[:count]
        self.register_buffer("means", means)
        self.register_buffer("axes", axes)

    def forward(self, features: Tensor, dims: int | None = None) -> Tensor:
        """Return minus the squared distance to each class' space, shape (B, classes)."""
        scores = []
        for mean, axes in zip(self.get_buffer("means"), self.get_buffer("axes"), strict=True):
            centred = features - mean
            inside = centred @ axes[:dims].T
            scores.append(inside.square().sum(1) - centred.square().sum(1))
        return torch.stack(scores, 1)


class LinearScores(nn.Module):
    """One-against-rest linear classifier (fitted by scikit-learn's liblinear)."""

    def __init__(self, features: Tensor, labels: Tensor, classes: int, c: float, seed: int) -> None:
        from sklearn.svm import LinearSVC

        super().__init__()
        machine = LinearSVC(C=c, dual="auto", random_state=seed, max_iter=20_000)
        machine.fit(features.numpy(), labels.numpy())
        if len(machine.classes_) != classes:
            raise ValueError(f"training subset has {len(machine.classes_)} of {classes} classes")
        signs = np.array([-1.0, 1.0]) if classes == 2 else np.ones(1)  # two share one hyperplane
        weight, bias = signs[:, None, None] * machine.coef_, signs[:, None] * machine.intercept_
        self.register_buffer("weight", torch.as_tensor(weight, dtype=features.dtype).flatten(0, 1))
        self.register_buffer("bias", torch.as_tensor(bias, dtype=features.dtype).flatten())

    def forward(self, features: Tensor) -> Tensor:
        """Return the scores, shape (B, classes)."""
        return features @ self.get_buffer("weight").T + self.get_buffer("bias")


class LogisticScores(nn.Module):
    """Logistic regression with an L2 penalty (fitted by scikit-learn), all classes weighed alike.

    Parameters
    ----------
    features : Tensor, shape (N, D)
        Training samples; D may be far more than N.
    labels : Tensor, shape (N,)
        Their classes.
    classes : int
        Number of classes.
    c : float
        Inverse strength of the penalty on the weights.
    """

    def __init__(self, features: Tensor, labels: Tensor, classes: int, c: float) -> None:
        from sklearn.linear_model import LogisticRegression

        super().__init__()
        samples = features.double().numpy()
        coordinates, axes = _within_span(samples)
        machine = LogisticRegression(C=c, class_weight="balanced", max_iter=5000)
        machine.fit(coordinates, labels.numpy())
        if len(machine.classes_) != classes:
            raise ValueError(f"training subset has {len(machine.classes_)} of {classes} classes")
        # The one hyperplane of two classes gives log-odds: half of them to each side.
        signs = np.array([[-0.5], [0.5]]) if classes == 2 else np.eye(classes)
        weight, bias = signs @ machine.coef_ @ axes @ samples, signs @ machine.intercept_
        self.register_buffer("weight", torch.as_tensor(weight, dtype=features.dtype))
        self.register_buffer("bias", torch.as_tensor(bias, dtype=features.dtype))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits, shape (B, classes)."""
        return features @ self.get_buffer("weight").T + self.get_buffer("bias")


def _within_span(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotate samples (N, D) onto what they span, at most N dimensions.

    The best weights of a penalised fit lie in the span, so that this changes nothing but its time.

    Returns
    -------
    coordinates : numpy.ndarray, shape (N, K)
        Of the samples; inner products are kept.
    axes : numpy.ndarray, shape (K, N)
        The directions are ``axes @ samples``.
    """
    values, directions = np.linalg.eigh(samples @ samples.T)
    kept = values > 1e-10 * values[-1]
    sizes, directions = np.sqrt(values[kept]), directions[:, kept]
    return directions * sizes, (directions / sizes).T


def extract(model: nn.Module, images: Examples) -> tuple[Tensor, Tensor]:
    """Compute the features of all images, shape (N, D), and their labels (N,)."""
    device = torch.device("cpu")
    features, labels = [], []
    for start in range(0, len(images), BATCH):
        x, y = images.batch(np.arange(start, min(start + BATCH, len(images))), device)
        features.append(model(x))
        labels.append(y)
    return torch.cat(features), torch.cat(labels)


def fit(
    recipe: ClosedFormSettings, features: Tensor, labels: Tensor, classes: int, seed: int
) -> tuple[nn.Module, dict[str, float]]:
    """Cross-validate the classifier's parameter, then fit it on all samples.

    Parameters
    ----------
    recipe : dict
        Resolved closed-form recipe.
    features, labels : Tensor
        Training subset, (N, D) and (N,). Each feature is divided by its largest magnitude,
        except for logistic regression, which takes them as they are.
    classes : int
        Number of classes.
    seed : int
        Of the folds.

    Returns
    -------
    classifier : nn.Module
        From features to scores.
    chosen : dict
        ``parameter`` and its cross-validated ``accuracy`` in percent.
    """
    scale = features.abs().amax(0).clamp_min(1e-12)
    if recipe["classifier"] == "logistic":
        scale = torch.ones_like(scale)
    features = features / scale
    folds = epoch_order(len(labels), seed, 0) % recipe["folds"]
    correct = dict.fromkeys(recipe["grid"], 0)
    for fold in range(recipe["folds"]):
        held = torch.from_numpy(folds == fold)
        scores = _candidates(recipe, features[~held], labels[~held], classes, seed)
        for value in recipe["grid"]:
            predicted = scores(value)(features[held]).argmax(1)
            correct[value] += int((predicted == labels[held]).sum())
    best = max(recipe["grid"], key=lambda value: (correct[value], -value))
    accuracy = 100 * correct[best] / len(labels)
    logger.info("%s: parameter %g, cross-validated %.2f %%", recipe["classifier"], best, accuracy)
    classifier = _classifier(recipe, features, labels, classes, best, seed)
    return nn.Sequential(_Scaling(scale), classifier), {"parameter": best, "accuracy": accuracy}


def restored(recipe: ClosedFormSettings, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a fitted classifier from its ``state_dict``, without the samples it was fitted to.

    Parameters
    ----------
    recipe : dict
        Resolved closed-form recipe.
    weights : mapping of str to Tensor
        The ``state_dict`` of what `fit` returned.

    Raises
    ------
    ValueError
        If they are not those of the recipe's classifier.
    """
    kind = {"pca": AffineSpaces, "svm": LinearScores}.get(recipe["classifier"], LogisticScores)
    names = {"pca": ("means", "axes")}.get(recipe["classifier"], ("weight", "bias"))
    wanted = ["0.scale", *(f"1.{name}" for name in names)]
    if sorted(weights) != sorted(wanted):
        raise ValueError(
            f"a classifier {recipe['classifier']!r} has {', '.join(wanted)}; "
            f"got {', '.join(sorted(weights)) or 'nothing'}"
        )
    classifier = kind.__new__(kind)
    nn.Module.__init__(classifier)
    for name in names:
        classifier.register_buffer(name, weights[f"1.{name}"])
    return nn.Sequential(_Scaling(weights["0.scale"]), classifier)


class _Scaling(nn.Module):
    def __init__(self, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, features: Tensor) -> Tensor:
        return features / self.get_buffer("scale")


def _candidates(
    recipe: ClosedFormSettings, features: Tensor, labels: Tensor, classes: int, seed: int
) -> Callable[[float], Score]:
    """Return, for a parameter value, the scores of a classifier fitted on these samples."""
    if recipe["classifier"] == "pca":
        spaces = AffineSpaces(features, labels, classes, int(max(recipe["grid"])))
        return lambda value: lambda x: spaces(x, int(value))
    return lambda value: _classifier(recipe, features, labels, classes, value, seed)


def _classifier(
    recipe: ClosedFormSettings,
    features: Tensor,
    labels: Tensor,
    classes: int,
    value: float,
    seed: int,
) -> nn.Module:
    """Fit the recipe's classifier with one value of its parameter."""
    if recipe["classifier"] == "pca":
        return AffineSpaces(features, labels, classes, int(value))
    if recipe["classifier"] == "svm":
        return LinearScores(features, labels, classes, value, seed)
    return LogisticScores(features, labels, classes, value)
