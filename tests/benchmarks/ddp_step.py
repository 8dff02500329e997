"""What averaging gradients over two workers costs a step, and which part of it is communication.

``python -m torch.distributed.run --nproc-per-node=2 -m tests.benchmarks.ddp_step``; the ways take
turns, and rank 0 prints medians. All have half a batch: as one worker without DDP, with DDP that
keeps its gradients to itself (hooks and buckets, no communication), and with DDP.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable

import torch
from torch import distributed, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from structnets.models.registry import create_model

BATCH = 100
ROUNDS = 60
SKIPPED = 10


def step_of(forward: nn.Module, model: nn.Module) -> Callable[[], None]:
    """Return a training step on this worker's half of a batch."""
    optimizer = torch.optim.Adadelta(model.parameters())
    images, labels = torch.rand(BATCH // 2, 1, 28, 28), torch.arange(BATCH // 2) % 10

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(forward(images), labels).backward()
        optimizer.step()

    return step


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    torch.manual_seed(0)
    models = [create_model("cnn_b", num_classes=10) for _ in range(2)]
    plain, shared = step_of(models[0], models[0]), DistributedDataParallel(models[1])
    averaged = step_of(shared, models[1])

    def alone() -> None:
        with shared.no_sync():
            averaged()

    ways = {"without DDP": plain, "DDP, no communication": alone, "DDP": averaged}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    used: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        for name, step in ways.items():
            distributed.barrier()
            begun, processor = time.perf_counter(), time.process_time()
            step()
            if number >= SKIPPED:
                wall[name].append(time.perf_counter() - begun)
                used[name].append(time.process_time() - processor)
    if distributed.get_rank() == 0:
        weights = sum(parameter.numel() for parameter in models[0].parameters())
        print(f"CNN-B, {weights} weights, {BATCH // 2} images a worker")
        for name in ways:
            ms, cpu = (1000 * statistics.median(times[name]) for times in (wall, used))
            print(f"{name}: {ms:.1f} ms a step, {cpu:.1f} ms of processor")
    with contextlib.suppress(RuntimeError):
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
