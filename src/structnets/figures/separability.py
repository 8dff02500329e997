"""Accuracy of simple classifiers by depth, or by number of components (Figures 21 and 22)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from structnets.analysis.separability import Separability
from structnets.figures.style import (
    Stem,
    figure,
    footnote,
    headline,
    legend_beside,
    lines,
    save,
    save_csv,
)

_COLUMNS = ("network", "depth", "name", "components", "svm", "neighbour", "penalty")


def draw_separability(
    networks: Mapping[str, Sequence[Separability]],
    stem: Stem,
    *,
    title: str,
    note: str = "",
    against: str = "depth",
) -> list[Path]:
    """Draw one panel per network with both classifiers' accuracies.

    Parameters
    ----------
    networks : mapping of str to sequence of Separability
        In the order of depth or of components.
    stem : Stem
    title, note : str
        Words on the figure.
    against : {'depth', 'components'}
        The horizontal axis.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there is no network, or `against` is neither.
    """
    if against not in ("depth", "components"):
        raise ValueError(f"against must be 'depth' or 'components', got {against!r}")
    if not networks:
        raise ValueError("networks holds no network to draw")
    size = (2.0 + 2.6 * len(networks), 3.4)
    with figure(1, len(networks), size, squeeze=False, sharey=True) as (drawing, axes):
        for panel, (name, found) in zip(axes[0], networks.items(), strict=True):
            depths = range(1, len(found) + 1)
            x = list(depths) if against == "depth" else [f.components for f in found]
            curves = {"linear SVM": [f.svm for f in found], "1-NN": [f.neighbour for f in found]}
            for (label, y), look in zip(curves.items(), lines(marked=True), strict=False):
                panel.plot(x, y, **look, markersize=3.5, label=label)
            panel.set(title=name, xlabel="depth j" if against == "depth" else "components d")
            if against == "components":
                panel.set_xscale("log")
            else:
                panel.xaxis.get_major_locator().set_params(integer=True)
        axes[0][0].set_ylabel("accuracy (%)")
        legend_beside(axes[0][-1], axes[0][-1].get_lines())
        headline(drawing, title)
        footnote(drawing, note)
        files = save(drawing, stem)
    rows = [
        {"network": network, "depth": depth, **vars(f)}
        for network, found in networks.items()
        for depth, f in enumerate(found, start=1)
    ]
    return [*files, save_csv(stem, _COLUMNS, rows)]
