"""Memory and time of training by depth: stored activations against recomputed ones."""

from __future__ import annotations

import torch

from structnets.analysis.context import Context, Measured
from structnets.analysis.options import TrainingMemory
from structnets.analysis.step_cost import step_cost
from structnets.viz.memory_growth import draw_memory_growth

_WAYS = {"stored": False, "reversible": True}


def training_memory(context: Context, options: TrainingMemory) -> list[Measured]:
    """Draw the memory of a training step against depth, both ways; time is measured besides."""
    peaks: dict[str, list[tuple[int, float]]] = {way: [] for way in _WAYS}
    measured = []
    for blocks in options.blocks:
        costs = {}
        for way, reversible in _WAYS.items():
            asked = {**options.options, "blocks": [blocks] * 3, "reversible": reversible}
            costs[way] = context.once(
                f"{way}-{blocks}",
                lambda asked=asked: step_cost(
                    asked, options.batch_size, options.steps, context.device.type,
                    torch.get_num_threads(),
                ),
            )  # fmt: skip
            peaks[way].append((blocks, costs[way]["megabytes"]))
            measured.append(Measured(f"{way}.blocks{blocks}.megabytes", costs[way]["megabytes"], 1))
        ratio = costs["reversible"]["seconds"] / costs["stored"]["seconds"]
        measured.append(Measured(f"time_ratio.blocks{blocks}", ratio, options.steps))
    for way, points in peaks.items():
        measured.append(Measured(f"{way}.growth", points[-1][1] / points[0][1], len(points)))
    draw_memory_growth(peaks, context.stem, title=context.title, note=context.note)
    return measured
