"""How long steps of a net take beside those of another."""

from __future__ import annotations

import statistics
from typing import Any

import torch

from structnets.analysis.step_times import (
    answering_step,
    processor_time,
    time_ratios,
    training_step,
)
from structnets.figures.context import Context, Measured
from structnets.figures.step_times.draw import TimeRatio, draw_time_ratios
from structnets.figures.step_times.options import Beside, StepTimes
from structnets.models.registry import create_model

KINDS = {"training": training_step, "inference": answering_step}


def step_times(context: Context, options: StepTimes) -> list[Measured]:
    """Draw the times of training steps and of answers as multiples of another net's.

    Beside them it measures what percentage of the machine other programs took meanwhile.
    """
    if not options.pairs:
        raise ValueError("pairs must name at least one net and the one it stands beside")
    shown, measured = [], []
    for pair in options.pairs:
        ratios = context.once(pair.key, lambda pair=pair: _ratios(pair, options, context.device))
        for kind in KINDS:
            found = ratios[kind]
            middle = statistics.median(found)
            shown.append(TimeRatio(pair.label, kind, middle, min(found), max(found)))
            measured.append(Measured(f"{pair.key}.{kind}", middle, len(found)))
        if (others := ratios.get("others")) is not None:
            measured.append(Measured(f"{pair.key}.others", others, options.rounds))
    draw_time_ratios(shown, context.stem, title=context.title, note=context.note)
    return measured


def _ratios(pair: Beside, options: StepTimes, device: torch.device) -> dict[str, Any]:
    """Time both kinds of steps of both nets, built anew from one seed."""
    torch.manual_seed(0)
    nets = [
        create_model(name, **given).to(device)
        for name, given in ((pair.model, pair.options), (pair.plain, pair.plain_options))
    ]
    images = torch.rand(options.batch_size, 3, options.side, options.side, device=device)
    first, second = nets
    begun = processor_time()
    ratios: dict[str, Any] = {
        kind: time_ratios(make(first, images), make(second, images), options.rounds, device.type)
        for kind, make in KINDS.items()
    }
    ended = processor_time()
    return {**ratios, "others": begun and ended and ended.others_since(begun)}
