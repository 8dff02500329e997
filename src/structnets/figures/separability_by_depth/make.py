"""Figure 21: how separable features are, by depth."""

from __future__ import annotations

from collections.abc import Callable

from structnets.analysis.depth_features import depth_names
from structnets.analysis.separability import Separability, by_depth
from structnets.figures.context import Context, Measured
from structnets.figures.separability import draw_separability
from structnets.figures.separability_by_depth.options import SeparabilityByDepth
from structnets.figures.split_features import both_accuracies, split_features


def separability_by_depth(context: Context, options: SeparabilityByDepth) -> list[Measured]:
    """Draw the accuracy of both classifiers at every depth of each network (Figure 21)."""
    networks, measured = {}, []
    for run in context.runs:
        names = depth_names(run.model, options.blocks.get(run.key))
        train, test = split_features(context, run, names, options)
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
            measured += both_accuracies(f"{run.key}.depth{depth}", one, len(test.labels))
    draw_separability(networks, context.stem, title=context.title, note=context.note)
    return measured


def _once(context: Context, name: str, compute: Callable[[], Separability]) -> Separability:
    return Separability(**context.once(name, lambda: vars(compute())))
