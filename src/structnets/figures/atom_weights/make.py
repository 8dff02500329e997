"""Figure 5: the weights of every atom, by layer."""

from __future__ import annotations

import numpy as np

from structnets.analysis.structured_layers import labels_of, structured_layers
from structnets.figures.atom_weights.draw import LayerWeights, draw_atom_weights
from structnets.figures.atom_weights.options import AtomWeights
from structnets.figures.context import Context, Measured


def atom_weights(context: Context, options: AtomWeights) -> list[Measured]:
    """Draw mean and deviation of the absolute weights of every atom, by layer (Figure 5)."""
    panels, measured = {}, []
    for run in context.runs:
        panels[run.label] = found = []
        for number, (_, layer) in enumerate(structured_layers(run), start=1):
            weights = layer.alpha.detach().double().abs().flatten(0, 1).cpu().numpy()
            found.append(
                LayerWeights(f"layer {number}", labels_of(layer), weights.mean(0), weights.std(0))
            )
            orders = np.array([sum(atom.exponents) for atom in layer.basis.atoms])
            for order in np.unique(orders):
                mean = float(weights[:, orders == order].mean())
                measured.append(
                    Measured(f"{run.key}.layer{number}.order{order}.mean", mean, len(weights))
                )
    draw_atom_weights(panels, context.stem, title=context.title, note=context.note)
    return measured
