"""Figure 21: how separable features are, by depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from structnets.analysis.depth_features import depth_names
from structnets.analysis.separability import Separability, by_depth
from structnets.figures.context import Context, Measured
from structnets.figures.separability import draw_separability
from structnets.figures.separability_by_depth.options import SeparabilityByDepth
from structnets.figures.split_features import both_accuracies, split_features

_LAST = 3  # layers of which section 6.5.1 says that most of the rise is theirs


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
        measured += rises_of(run.key, found, len(test.labels))
    draw_separability(networks, context.stem, title=context.title, note=context.note)
    return measured


def rises_of(key: str, found: Sequence[Separability], images: int) -> list[Measured]:
    """Say what a block adds to either accuracy, among the last three blocks and before them."""
    if len(found) <= _LAST + 1:
        return []
    first, turn, last = found[0], found[-1 - _LAST], found[-1]
    before = len(found) - 1 - _LAST
    return [
        Measured(
            f"{key}.rise_{part}.{name}", (getattr(to, name) - getattr(of, name)) / blocks, images
        )
        for part, of, to, blocks in (("before", first, turn, before), ("last", turn, last, _LAST))
        for name in ("svm", "neighbour")
    ]


def _once(context: Context, name: str, compute: Callable[[], Separability]) -> Separability:
    return Separability(**context.once(name, lambda: vars(compute())))
