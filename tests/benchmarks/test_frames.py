"""Frame nets beside their pixel twins: whole training steps, interleaved."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import pytest
import torch
from torch import nn

from structnets.models.registry import create_model
from structnets.nn import reparametrize
from tests.benchmarks.timing import repeated, warm_up

REPETITIONS = 15


def step_of(model: nn.Module, batch: int, side: int = 32) -> Callable[[], object]:
    """Return an action: one step of SGD on images of a side."""
    x, y = torch.randn(batch, 3, side, side), torch.arange(batch) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def show_ratios(title: str, actions: dict[str, Callable[[], object]], repetitions: int) -> None:
    """Print each action's CPU seconds, as medians, beside those of the one called pixel."""
    torch.set_num_threads(1)
    warm_up()
    seconds = repeated(actions, repetitions, clock=time.process_time)
    ratios = ", ".join(f"{name} {s / seconds['pixel']:.3f}" for name, s in seconds.items())
    print(f"\n{title}: {ratios} of {1e3 * seconds['pixel']:.0f} CPU ms (median); 1.05 is the goal")


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["resnet20", "resnet56", "densenet40"])
def test_frame_nets_train_like_their_pixel_twins(name: str) -> None:
    batch = 16 if name == "densenet40" else 64  # the thesis trains with 64
    actions = {
        frame: step_of(create_model(name, frame=frame), batch)
        for frame in ("pixel", "image", "gauss15")
    }
    show_ratios(f"{name}, batch {batch}", actions, REPETITIONS)


@pytest.mark.benchmark
@pytest.mark.parametrize("batch", [4, 16])
@pytest.mark.parametrize("stem", ["7x7", "3x3"])
def test_a_reparametrized_resnet18_trains_like_its_pixel_twin(stem: str, batch: int) -> None:
    torchvision = pytest.importorskip("torchvision")
    plain = torchvision.models.resnet18(num_classes=10)
    if stem == "3x3":  # as for small images: stride 1, nothing pooled
        plain.conv1, plain.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    actions = {
        "pixel": step_of(plain, batch, 64),
        "gaussian": step_of(reparametrize(copy.deepcopy(plain), "gaussian"), batch, 64),
        "framelet": step_of(reparametrize(copy.deepcopy(plain), "framelet"), batch, 64),
    }
    title = f"resnet18, {stem} stem, 64 x 64, batch {batch}"
    show_ratios(title, actions, 9 if stem == "7x7" else 3)
