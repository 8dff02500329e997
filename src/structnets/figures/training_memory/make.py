"""Memory and time of training by depth: activations stored, checkpointed or recomputed."""

from __future__ import annotations

import torch

from structnets.analysis.step_cost import WAYS, step_cost
from structnets.figures.context import Context, Measured
from structnets.figures.training_memory.draw import StepCost, draw_memory_growth
from structnets.figures.training_memory.options import TrainingMemory


def training_memory(context: Context, options: TrainingMemory) -> list[Measured]:
    """Draw the memory of a training step against depth, every way; time is measured besides."""
    costs: dict[str, list[StepCost]] = {way: [] for way in WAYS}
    for blocks in options.blocks:
        for way in WAYS:
            found = context.once(
                f"{way}-{blocks}",
                lambda way=way, blocks=blocks: step_cost(
                    way, {**options.options, "blocks": [blocks] * 3}, options.batch_size,
                    options.steps, context.device.type, torch.get_num_threads(),
                ),
            )  # fmt: skip
            costs[way].append(StepCost(blocks, found["megabytes"], found["seconds"]))
    draw_memory_growth(costs, context.stem, title=context.title, note=context.note)
    return [one for way in WAYS for one in _measured(way, costs, options.steps)]


def _measured(way: str, costs: dict[str, list[StepCost]], steps: int) -> list[Measured]:
    """Name the memory of a way at every depth, its growth, and its time beside the stored way's."""
    own, stored = costs[way], costs["stored"]
    measured = [Measured(f"{way}.blocks{one.blocks}.megabytes", one.megabytes, 1) for one in own]
    measured.append(Measured(f"{way}.growth", own[-1].megabytes / own[0].megabytes, len(own)))
    if way != "stored":
        measured += [
            Measured(f"{way}.blocks{one.blocks}.time_ratio", one.seconds / plain.seconds, steps)
            for one, plain in zip(own, stored, strict=True)
        ]
    return measured
