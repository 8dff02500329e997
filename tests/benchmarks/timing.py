"""Timing on a noisy machine: interleaved repetitions, medians."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

HOPELESS = 5.0


def repeated(
    actions: dict[str, Callable[[], object]],
    repetitions: int,
    summary: Callable[[list[float]], float] = statistics.median,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the seconds of each action, all taken in turn, after one warm-up each.

    The turns are another order in each repetition: what an action leaves in the caches would be
    counted for or against the one that always follows it. An action that takes five times the
    fastest one's warm-up twice is not repeated: what a first call makes and keeps is not counted.
    `summary` makes one number of the repetitions; `clock` measures wall time, or
    ``time.process_time`` CPU time.
    """
    first = {name: seconds_of(action, clock) for name, action in actions.items()}
    limit = HOPELESS * min(first.values())
    slow = [name for name, seconds in first.items() if seconds > limit]
    first |= {name: seconds_of(actions[name], clock) for name in slow}
    taken: dict[str, list[float]] = {name: [] for name in actions if first[name] <= limit}
    turns, names = random.Random(0), list(taken)
    for _ in range(repetitions):
        turns.shuffle(names)
        for name in names:
            taken[name].append(seconds_of(actions[name], clock))
    return first | {name: summary(values) for name, values in taken.items()}


def warm_up() -> None:
    """Start torch's thread pools and its backward engine, which the first step would pay for."""
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    torch.nn.functional.conv2d(x, torch.randn(2, 2, 3, 3)).sum().backward()


def seconds_of(
    action: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the time of one call, wall time unless another clock is given."""
    begun = clock()
    action()
    return clock() - begun


def training_step(
    forward: Callable[[Tensor], Tensor], x: Tensor, weight: Tensor
) -> Callable[[], object]:
    """Return an action: forward, and the gradients of the weight and of an `x` that wants one."""
    gradient = torch.randn_like(forward(x).detach())
    wanted = [weight, x] if x.requires_grad else [weight]
    return lambda: torch.autograd.grad(forward(x), wanted, gradient)


def inference(forward: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], object]:
    """Return an action: forward without gradients."""

    def action() -> None:
        with torch.no_grad():
            forward(x)

    return action
