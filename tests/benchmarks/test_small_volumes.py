"""An epoch of the quarter-width nets on AD-126 at 4 mm: 113 volumes, estimated from its steps."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from structnets.models import create_model
from structnets.models.rfnin3d import VolumeNet
from structnets.training.freed_memory import keep_freed_memory
from tests.benchmarks.timing import seconds_of, warm_up

VOLUMES, BATCH, REPETITIONS = 113, 8, 5
MNI_4MM = (46, 55, 46)


def step_of(name: str, cached: bool) -> Callable[[], None]:
    """Return one step of Adam; `cached` feeds the fixed stage, computed beforehand."""
    model = create_model(name)
    assert isinstance(model, VolumeNet)
    optimizer = torch.optim.Adam(model.parameters())
    volumes, labels = torch.rand(BATCH, 1, *MNI_4MM), torch.randint(0, 2, (BATCH,))
    inputs = model.fixed_stage(volumes) if cached else volumes
    assert inputs is not None

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()

    return step


@pytest.mark.benchmark
@pytest.mark.parametrize("threads", [1, 2])
def test_epoch_of_the_small_nets(threads: int) -> None:
    """At most 15 s on two cores."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    warm_up()
    steps = {
        "rfnin_3d_small": step_of("rfnin_3d_small", cached=False),
        "rfnin_3d_small, kept fixed stage": step_of("rfnin_3d_small", cached=True),
        "nin_3d_small": step_of("nin_3d_small", cached=False),
    }
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(REPETITIONS):
        for name, step in steps.items():
            taken[name].append(seconds_of(step))
    print(f"\n{threads} threads, {VOLUMES} volumes {MNI_4MM}, batch {BATCH}")
    for name, seconds in taken.items():
        print(f"{name:34s} {statistics.median(seconds) * VOLUMES / BATCH:6.1f} s an epoch")
