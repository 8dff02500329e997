"""Features of both splits of a run by depth, and the accuracies of Figures 21 and 22."""

from __future__ import annotations

from collections.abc import Sequence

from structnets.analysis.depth_features import DepthFeatures, collect_features, open_features
from structnets.analysis.separability import Separability
from structnets.analysis.trained import Trained
from structnets.figures.context import Context, Measured
from structnets.figures.separability_by_depth.options import SeparabilityByDepth


def split_features(
    context: Context, run: Trained, names: Sequence[str], options: SeparabilityByDepth
) -> tuple[DepthFeatures, DepthFeatures]:
    """Stream both splits through the network, unless an earlier attempt has."""
    both = []
    for split, count in (("train", options.train), ("test", options.test)):
        folder, chosen = context.work / f"{run.key}-{split}", run.choose(split, count)
        try:
            both.append(open_features(folder))
        except FileNotFoundError:
            batches = run.batches(split, chosen, options.batch_size)
            both.append(collect_features(run.model, names, batches, len(chosen), folder))
    return both[0], both[1]


def both_accuracies(place: str, found: Separability, images: int) -> list[Measured]:
    """Name the accuracies of the linear machine and of the nearest neighbour."""
    pairs = (("svm", found.svm), ("neighbour", found.neighbour))
    return [Measured(f"{place}.{name}", value, images) for name, value in pairs]
