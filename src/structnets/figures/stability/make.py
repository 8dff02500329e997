"""Whether a network can be inverted in a precision, block by block; a warning where not."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import torch

from structnets.analysis.stability import stability_report
from structnets.analysis.trained import Trained, invertible
from structnets.figures.context import Context, Measured
from structnets.figures.stability.draw import draw_stability
from structnets.figures.stability.options import Stability


def stability(context: Context, options: Stability) -> list[Measured]:
    """Draw the error of every block's recovered input, and F's estimated Lipschitz constant."""
    run = context.runs[0]
    found = context.once(f"{run.key}-blocks", lambda: _report(run, options))
    blocks, errors = found["blocks"], found["errors"]
    draw_stability(
        blocks, context.stem, tolerance=options.tolerance, title=context.title, note=context.note
    )
    images, measured = options.images, []
    for precision, error in errors.items():
        place = f"{run.key}.{precision}"
        if math.isfinite(error):
            measured.append(Measured(f"{place}.error", error, images))
        measured.append(Measured(f"{place}.invertible", float(error <= options.tolerance), images))
    stretch = max(block["lipschitz"] for block in blocks)
    return [
        *measured,
        Measured(f"{run.key}.largest_lipschitz", stretch, images),
        Measured(f"{run.key}.log10_bound", found["log10_bound"], images),
    ]


def _report(run: Trained, options: Stability) -> dict[str, Any]:
    """Examine the network; plain JSON."""
    model = invertible(run)
    chosen = run.choose("test", options.images)
    images, _ = next(run.batches("test", chosen, options.images))
    report = stability_report(
        model.features,
        images,
        tolerance=options.tolerance,
        precisions=[getattr(torch, name) for name in options.precisions],
        iterations=options.iterations,
    )
    return asdict(report)
