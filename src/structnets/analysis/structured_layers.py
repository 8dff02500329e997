"""The Gaussian layers of a trained network, and names of their atoms."""

from __future__ import annotations

from structnets.analysis.trained import Trained
from structnets.nn.gaussian_conv import GaussianConv2d


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
