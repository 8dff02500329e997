"""Which pictures a run is trained on, and the mean and deviation that their scores have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from structnets.data.batches.subset import train_indices, validation_split
from structnets.specs.resolved import ResolvedSpec


def parts(spec: ResolvedSpec, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a spec trains on, and those it holds out for validation.

    Parameters
    ----------
    spec : dict
        Resolved.
    total : int
        Number of pictures for training that there are.

    Returns
    -------
    train, validation : numpy.ndarray
        int64, disjoint. Those of one seed are nested in its larger ones, without validation.
    """
    chosen = train_indices(total, spec["data"]["train_size"], spec["seed"])
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    return validation_split(chosen, fraction, spec["seed"])


def units(spec: ResolvedSpec, manifest: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return mean, deviation, least and most of the scores that a run is trained on.

    Raises
    ------
    ValueError
        If they are all the same: there is nothing to learn.
    """
    scores = np.array(manifest["scores"]["train"], dtype=np.float64)
    train, _ = parts(spec, len(scores))
    return spread(scores[train], f"the {len(train)} pictures of seed {spec['seed']}")


def spread(scores: np.ndarray, whose: str) -> tuple[float, float, float, float]:
    """Return mean, deviation, least and most of scores; raises as `units`."""
    if not scores.std() > 0:
        raise ValueError(
            f"all of {whose} that are trained on have the score {scores[0]:g}, from which nothing "
            "can be learned: train on more pictures (train_sizes)"
        )
    mean, deviation = float(scores.mean()), float(scores.std())
    return mean, deviation, float(scores.min()), float(scores.max())
