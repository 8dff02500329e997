"""Figure 2: what a structured layer has learned."""

from __future__ import annotations

import numpy as np

from structnets.analysis.structured_layers import labels_of, structured_layers
from structnets.figures.context import Context, Measured
from structnets.figures.learned_filters.draw import FilterPanel, draw_learned_filters
from structnets.figures.learned_filters.options import LearnedFilters


def learned_filters(context: Context, options: LearnedFilters) -> list[Measured]:
    """Draw filters of a structured layer beside the basis they are mixtures of (Figure 2).

    The share of every order in the mixtures is measured: that of the squared weights, since the
    atoms are normalised for scale.
    """
    panels, measured = [], []
    for run in context.runs:
        layers = structured_layers(run)
        if options.layer >= len(layers):
            raise ValueError(
                f"layer must be below {len(layers)} for {run.key}, got {options.layer}"
            )
        name, layer = layers[options.layer]
        filters = layer.kernel().detach().cpu().numpy()
        norms = np.linalg.norm(filters.reshape(len(filters), -1), axis=1)
        largest = np.argsort(-norms, kind="stable")[: options.filters]
        panels.append(
            FilterPanel(
                run.label, name, layer.basis.kernels, [str(label) for label in labels_of(layer)],
                filters[largest], largest,
            )
        )  # fmt: skip
        weights = layer.alpha.detach().double().square().sum((0, 1)).cpu().numpy()
        orders = np.array([sum(atom.exponents) for atom in layer.basis.atoms])
        for order in np.unique(orders):
            share = float(weights[orders == order].sum() / weights.sum())
            measured.append(Measured(f"{run.key}.order{order}.share", share, len(filters)))
    draw_learned_filters(panels, context.stem, title=context.title, note=context.note)
    return measured
