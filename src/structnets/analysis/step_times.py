"""Times of a net's training steps and answers as multiples of another net's.

The thesis states them in words: frame nets run "at approximately the same runtime as vanilla CNNs"
(section 4.4.1), i-RevNets take "one third longer" than RevNets (section 6.3.2).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Step = Callable[[], None]


def training_step(model: nn.Module, images: Tensor) -> Step:
    """Return a step that learns from images (B, C, H, W) of class 0, without an optimiser."""
    labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)

    def step() -> None:
        model.train()
        model.zero_grad(set_to_none=False)
        functional.cross_entropy(model(images), labels).backward()

    return step


def answering_step(model: nn.Module, images: Tensor) -> Step:
    """Return a step that classifies images (B, C, H, W)."""

    def step() -> None:
        model.eval()
        with torch.no_grad():
            model(images)

    return step


def time_ratios(first: Step, second: Step, rounds: int, device: str = "cpu") -> list[float]:
    """Time two steps by turns; return how many times the second's the first takes, each round.

    Parameters
    ----------
    first, second : callable
        Steps; each is done once before.
    rounds : int
        Rounds. Which step comes first alternates, and what else disturbs the machine disturbs both.
    device : str
        ``cpu``, where processor time counts, or ``cuda``, where the clock does.

    Raises
    ------
    ValueError
        If there is no round.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be >= 1, got {rounds}")
    first()
    second()
    ratios = []
    for number in range(rounds):
        pair = (first, second) if number % 2 == 0 else (second, first)
        times = [_taken(step, device) for step in pair]
        own, other = times if number % 2 == 0 else times[::-1]
        ratios.append(own / other)
    return ratios


class ProcessorTime(NamedTuple):
    """Seconds of all processors of a machine since it started."""

    had: float
    busy: float
    own: float

    def others_since(self, begun: ProcessorTime) -> float:
        """Return what percentage of the processors' time other programs took since then."""
        busy = (self.busy - begun.busy) - (self.own - begun.own)
        return 100 * max(busy, 0.0) / max(self.had - begun.had, 1e-9)


def processor_time(stat: Path = Path("/proc/stat")) -> ProcessorTime | None:
    """Read what the processors did up to now; None where the system (not Linux) does not tell."""
    if not stat.is_file():
        return None
    ticks = [int(field) for field in stat.read_text().split("\n", 1)[0].split()[1:9]]
    seconds = [count / os.sysconf("SC_CLK_TCK") for count in ticks]
    idle = seconds[3] + seconds[4]  # with waiting for disks
    return ProcessorTime(sum(seconds), sum(seconds) - idle, time.process_time())


def _taken(step: Step, device: str) -> float:
    """Return the seconds of a step; those of the clock on a GPU."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    if device == "cuda":
        torch.cuda.synchronize()
    begun = clock()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - begun
