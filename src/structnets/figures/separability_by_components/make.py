"""Figure 22: how separable features are, by the number of principal components."""

from __future__ import annotations

from structnets.analysis.depth_features import depth_names
from structnets.analysis.separability import by_components
from structnets.figures.context import Context, Measured
from structnets.figures.separability import draw_separability
from structnets.figures.separability_by_components.options import SeparabilityByComponents
from structnets.figures.split_features import both_accuracies, split_features


def separability_by_components(
    context: Context, options: SeparabilityByComponents
) -> list[Measured]:
    """Draw the accuracy on the first principal components of the last depth (Figure 22)."""
    networks, measured = {}, []
    for run in context.runs:
        name = depth_names(run.model, options.blocks.get(run.key))[-1]
        train, test = split_features(context, run, [name], options)
        most = min(train[name].shape)
        counts = [count for count in options.counts if count <= most]
        found = list(by_components(train, test, counts, name, options.subset))
        networks[run.label] = found
        for one in found:
            measured += both_accuracies(
                f"{run.key}.components{one.components}", one, len(test.labels)
            )
    draw_separability(
        networks, context.stem, title=context.title, note=context.note, against="components"
    )
    return measured
