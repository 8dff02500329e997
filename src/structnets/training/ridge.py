"""A linear estimate of a score from fixed features, its penalty chosen on the training part."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.seeding import epoch_order
from structnets.specs.resolved import RidgeSettings

logger = logging.getLogger(__name__)


def fit(
    recipe: RidgeSettings, features: Tensor, targets: Tensor, seed: int
) -> tuple[nn.Linear, dict[str, float]]:
    """Cross-validate the penalty of a ridge regression, then fit it to all samples.

    Parameters
    ----------
    recipe : dict
        Resolved; a penalty p of its grid stands for p times the mean squared distance of the
        samples from their mean, so that it means the same for any number of features.
    features, targets : Tensor, shape (N, D) and (N,)
        The training part.
    seed : int
        Of the folds.

    Returns
    -------
    linear : nn.Linear
        From features (B, D) to (B, 1).
    chosen : dict
        ``parameter`` and its cross-validated ``squared_error``, the mean, in squared units of the
        targets.

    Raises
    ------
    ValueError
        If there are fewer samples than folds and one more.
    """
    if len(targets) <= recipe["folds"]:
        raise ValueError(
            f"{len(targets)} scans are too few to choose a penalty in {recipe['folds']} inner "
            "folds: ask for fewer (recipe folds), or add people"
        )
    samples, answers = features.double().numpy(), targets.double().numpy()
    folds = epoch_order(len(answers), seed, 0) % recipe["folds"]
    errors = dict.fromkeys(recipe["grid"], 0.0)
    for fold in range(recipe["folds"]):
        held = folds == fold
        for penalty in recipe["grid"]:
            weight, bias = _weights(samples[~held], answers[~held], penalty)
            errors[penalty] += float(np.square(samples[held] @ weight + bias - answers[held]).sum())
    # Of equal errors the stronger penalty.
    best = min(recipe["grid"], key=lambda penalty: (errors[penalty], -penalty))
    error = errors[best] / len(answers)
    logger.info("ridge: penalty %g, cross-validated squared error %.4g", best, error)
    weight, bias = _weights(samples, answers, best)
    linear = nn.Linear(samples.shape[1], 1)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight)[None])
        linear.bias.fill_(bias)
    return linear, {"parameter": best, "squared_error": error}


def restored(weights: Mapping[str, Tensor]) -> nn.Linear:
    """Return what was fitted from its ``state_dict``.

    Raises
    ------
    RuntimeError
        If these are no weights of one linear estimate.
    """
    weight = weights.get("weight")
    linear = nn.Linear(1 if weight is None or weight.ndim != 2 else weight.shape[1], 1)
    linear.load_state_dict(weights)
    return linear


def _weights(samples: np.ndarray, answers: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Return weights (D,) and bias; solved among samples or features, whichever are fewer."""
    from sklearn.linear_model import Ridge

    centre = samples.mean(0)
    around = samples - centre
    if around.shape[1] < len(around):
        spread = float(np.square(around).sum())
        if not spread:
            return np.zeros(samples.shape[1]), float(answers.mean())
        machine = Ridge(alpha=penalty * spread / len(samples)).fit(around, answers)
        return machine.coef_, float(machine.intercept_ - centre @ machine.coef_)
    gram = around @ around.T
    values, directions = np.linalg.eigh(gram)
    kept = values > 1e-10 * max(values[-1], 1e-300)
    sizes, directions = np.sqrt(values[kept]), directions[:, kept]
    if not kept.any():  # all samples are alike
        return np.zeros(samples.shape[1]), float(answers.mean())
    machine = Ridge(alpha=penalty * float(gram.trace()) / len(samples))
    machine.fit(directions * sizes, answers)
    weight = (machine.coef_ @ (directions / sizes).T) @ around
    return weight, float(machine.intercept_ - centre @ weight)
