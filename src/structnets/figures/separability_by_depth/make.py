"""Figures 21 and 22: how separable features are, by depth and by number of components."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from structnets.analysis.depth_features import (
    DepthFeatures,
    collect_features,
    depth_names,
    open_features,
)
from structnets.analysis.separability import Separability, by_components, by_depth
from structnets.figures.context import Context, Measured, Trained
from structnets.figures.options import (
    Contraction,
    SeparabilityByComponents,
    SeparabilityByDepth,
)
from structnets.figures.separability import draw_separability


def separability_by_depth(context: Context, options: SeparabilityByDepth) -> list[Measured]:
    """Draw the accuracy of both classifiers at every depth of each network (Figure 21)."""
    networks, measured = {}, []
    for run in context.runs:
        names = depth_names(run.model, options.blocks.get(run.key))
        train, test = _features(context, run, names, options)
        found = [
            _once(
                context,
                f"{run.key}-{name}",
                lambda name=name, train=train, test=test: next(
                    by_depth(train, test, options.subset, names=[name])
                ),
            )
            for name in names
        ]
        networks[run.label] = found
        for depth, one in enumerate(found, start=1):
            measured += _both(f"{run.key}.depth{depth}", one, len(test.labels))
    draw_separability(networks, context.stem, title=context.title, note=context.note)
    return measured


def separability_by_components(
    context: Context, options: SeparabilityByComponents
) -> list[Measured]:
    """Draw the accuracy on the first principal components of the last depth (Figure 22)."""
    networks, measured = {}, []
    for run in context.runs:
        name = depth_names(run.model, options.blocks.get(run.key))[-1]
        train, test = _features(context, run, [name], options)
        most = min(train[name].shape)
        counts = [count for count in options.counts if count <= most]
        found = list(by_components(train, test, counts, name, options.subset))
        networks[run.label] = found
        for one in found:
            measured += _both(f"{run.key}.components{one.components}", one, len(test.labels))
    draw_separability(
        networks, context.stem, title=context.title, note=context.note, against="components"
    )
    return measured


def _both(place: str, found: Separability, images: int) -> list[Measured]:
    pairs = (("svm", found.svm), ("neighbour", found.neighbour))
    return [Measured(f"{place}.{name}", value, images) for name, value in pairs]


def _once(context: Context, name: str, compute: Callable[[], Separability]) -> Separability:
    return Separability(**context.once(name, lambda: vars(compute())))


def _features(
    context: Context, run: Trained, names: Sequence[str], options: Contraction
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
