"""Features of both splits of a run by depth, and the accuracies of Figures 21 and 22."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from structnets.analysis.depth_features import DepthFeatures, collect_features, open_features
from structnets.analysis.separability import Separability
from structnets.analysis.trained import Trained
from structnets.data.batches.subset import train_indices
from structnets.figures.context import Context, Measured
from structnets.figures.separability_by_depth.options import SeparabilityByDepth


def split_features(
    context: Context, run: Trained, names: Sequence[str], options: SeparabilityByDepth
) -> tuple[DepthFeatures, DepthFeatures]:
    """Stream both splits through the network, unless an earlier attempt has."""
    both = []
    for split, count in (("train", options.train), ("test", options.test)):
        folder = context.work / f"{run.key}-{split}"
        try:
            both.append(open_features(folder))
        except FileNotFoundError:
            chosen = images_of_classes(run, split, count, options.classes)
            batches = run.batches(split, chosen, options.batch_size)
            both.append(collect_features(run.model, names, batches, len(chosen), folder))
    return both[0], both[1]


def images_of_classes(run: Trained, split: str, count: int, classes: int | None) -> np.ndarray:
    """Draw at most `count` images of a split, of some classes drawn at random alone.

    Parameters
    ----------
    run : Trained
        Whose data they are.
    split : str
        ``train`` or ``test``; both have the same classes.
    count : int
        Images at most.
    classes : int or None
        Classes; None for all.

    Returns
    -------
    numpy.ndarray
        Positions in the split, in random order.

    Raises
    ------
    ValueError
        If the data have fewer classes.
    """
    if classes is None:
        return run.choose(split, count)
    known = len(run.manifest["classes"])
    if classes > known:
        raise ValueError(f"classes must be at most the {known} of {run.data}, got {classes}")
    everything = run.choose(split, len(run.splits[split]))
    kept = train_indices(known, classes, seed=0)
    return everything[np.isin(run.labels(split, everything), kept)][:count]


def both_accuracies(place: str, found: Separability, images: int) -> list[Measured]:
    """Name the accuracies of the linear machine and of the nearest neighbour."""
    pairs = (("svm", found.svm), ("neighbour", found.neighbour))
    return [Measured(f"{place}.{name}", value, images) for name, value in pairs]
