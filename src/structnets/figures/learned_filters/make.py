"""Figures 2 and 5: what structured layers have learned."""

from __future__ import annotations

import numpy as np

from structnets.figures.atom_weights.draw import LayerWeights, draw_atom_weights
from structnets.figures.context import Context, Measured, Trained
from structnets.figures.learned_filters.draw import FilterPanel, draw_learned_filters
from structnets.figures.options import AtomWeights, LearnedFilters
from structnets.nn.gaussian_conv import GaussianConv2d


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


def structured_layers(run: Trained) -> list[tuple[str, GaussianConv2d]]:
    """Return the Gaussian layers of a network in order, with their names.

    Raises
    ------
    ValueError
        If there is none.
    """
    named = run.model.named_modules()
    found = [(name, module) for name, module in named if isinstance(module, GaussianConv2d)]
    if not found:
        raise ValueError(f"{run.key} ({run.spec['model']['name']}) has no Gaussian layer")
    return found


def labels_of(layer: GaussianConv2d) -> list[str]:
    """Name a layer's atoms, ``xxy`` for a derivative, with the scale where there are several."""
    several = len(set(layer.basis.sigmas)) > 1
    names = []
    for atom in layer.basis.atoms:
        name = "".join(axis * count for axis, count in zip("xyz", atom.exponents, strict=False))
        names.append(f"{name or '0'} σ{atom.sigma:g}" if several else name or "0")
    return names
