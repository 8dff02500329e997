"""Hierarchical attribute CNNs: the library's evaluation against the straightforward one.

Straightforward (``way="plain"``): spatial convolution on every attribute slice, permute, attribute
convolution, permute back. Slower still: a loop over attribute offsets.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.registry import create_model
from structnets.nn import HierarchicalConv, measure_ways
from structnets.nn._hierarchical_cost import possible
from tests.benchmarks.timing import inference, repeated, training_step, warm_up

REPETITIONS = 5
BATCH = 50

# Linux keeps the most memory a process held; writing 5 makes it begin anew.
MEASURE_PEAK = """
import sys, torch
from pathlib import Path
from structnets.models import create_model

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

way, batch = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(2)
model = create_model("hcnn_plus", way=way)
torch.nn.functional.conv2d(torch.randn(2, 3, 8, 8), torch.randn(4, 3, 3, 3))
Path("/proc/self/clear_refs").write_text("5")
before = most()
model(torch.randn(batch, 3, 32, 32)).sum().backward()
print((most() - before) / 1024)
"""


class OffsetLoop(HierarchicalConv):
    """The attribute convolution as one product per offset, summed."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve arrays as the parent does."""
        x = x.sum(3) if x.ndim == 6 else x
        batch, height, width, first, second = x.shape
        slices = x.permute(0, 3, 4, 1, 2).reshape(-1, 1, height, width)
        inner = functional.conv2d(slices, self.spatial[:, None], None, self.stride, 1)
        inner = self.norm(inner)
        inner = functional.elu(inner) if self.activation else inner
        height, width = inner.shape[2:]
        inner = inner.view(batch, first, second, -1, height, width).permute(0, 4, 5, 1, 2, 3)
        a, b = self.support
        padded = functional.pad(inner, [0, 0, b // 2, b // 2, a // 2, a // 2])
        out = padded.new_zeros(())
        for i, k in product(range(a), range(b)):
            reached = padded[:, :, :, i : i + first : 2, k : k + second : 2]
            out = out + reached @ self.attribute[:, :, i, k].t()
        return out


def net_step(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], object]:
    """Return an action: one training step without the update."""

    def action() -> None:
        model.zero_grad()
        functional.cross_entropy(model(images), labels).backward()

    return action


def show(title: str, seconds: dict[str, float], of: str) -> None:
    shown = "  ".join(f"{way} {s:.3f} s ({s / seconds[of]:.3f})" for way, s in seconds.items())
    print(f"\n{title}: {shown}")


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["hcnn_plus", "hcnn"])
def test_training_step_beside_the_straightforward_way(name: str) -> None:
    """The goal is 0.7 of the straightforward way's time."""
    torch.set_num_threads(2)
    warm_up()
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(10, (BATCH,))
    models = {way: create_model(name, way=way) for way in ("plain", "auto")}
    steps = {way: net_step(model, images, labels) for way, model in models.items()}
    seconds = repeated(steps, 3)
    show(f"{name}, training step, batch {BATCH}", seconds, "plain")


@pytest.mark.benchmark
def test_layer_beside_a_loop_over_offsets() -> None:
    torch.set_num_threads(2)
    warm_up()
    x = torch.randn(4, 16, 16, 8, 16, requires_grad=True)
    layers = {"loop": OffsetLoop(16, 32, activation=True)}
    layers["auto"] = HierarchicalConv(16, 32, activation=True)
    layers["auto"].load_state_dict(layers["loop"].state_dict())
    torch.testing.assert_close(layers["loop"](x), layers["auto"](x), rtol=1e-4, atol=1e-4)
    steps = {way: training_step(layer, x, layer.attribute) for way, layer in layers.items()}
    seconds = repeated(steps, 3)
    show("a layer of hcnn_plus, 16 x 16, training step, batch 4", seconds, "auto")


@pytest.mark.benchmark
def test_peak_memory_beside_the_straightforward_way() -> None:
    peaks = {}
    for way in ("plain", "auto"):
        command = [sys.executable, "-c", MEASURE_PEAK, way, "8"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[way] = float(done.stdout)
    print(f"\nhcnn_plus, peak of a training step, batch 8 (MiB): {peaks}")
    assert peaks["auto"] <= peaks["plain"]


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["hcnn_plus", "hcnn"])
def test_inference_beside_the_straightforward_way(name: str) -> None:
    torch.set_num_threads(2)
    warm_up()
    images = torch.randn(BATCH, 3, 32, 32)
    models = {way: create_model(name, way=way).eval() for way in ("plain", "fused-conv", "auto")}
    models["auto"].load_state_dict(models["plain"].state_dict(), strict=False)
    actions = {way: inference(model, images) for way, model in models.items()}
    show(f"{name}, inference, batch {BATCH}", repeated(actions, 3), "plain")


@pytest.mark.benchmark
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_chosen_way_beside_the_best(training: bool) -> None:
    torch.set_num_threads(2)
    warm_up()
    for values, terms, side, plus in (
        (8, 4, 32, True),
        (8, 16, 32, True),
        (16, 9, 16, True),
        (16, 32, 32, True),
        (16, 32, 8, True),
        (32, 32, 8, True),
        (8, 16, 32, False),
        (16, 4, 16, False),
        (16, 32, 32, False),
        (32, 32, 8, False),
    ):
        x = torch.randn(4, side, side, values // 2, values, requires_grad=training)
        layer = HierarchicalConv(values, terms, activation=plus).train(training)
        work = layer.work(x, training)
        act = training_step if training else inference
        actions = {}
        for way in possible(work):
            other = HierarchicalConv(values, terms, activation=plus, way=way).train(training)
            arguments = [other.attribute] if training else []
            actions[way] = act(functools.partial(other), x, *arguments)
        seconds = repeated(actions, REPETITIONS)
        with torch.set_grad_enabled(training):  # the choice depends on it
            chosen = layer.way_for(x)
            with measure_ways(layer):
                layer(x)
            measured = layer.way_for(x)
        best = min(seconds, key=seconds.__getitem__)
        shown = " ".join(f"{way} {1e3 * s:.1f}" for way, s in seconds.items())
        print(
            f"\nK={values} Q={terms} {side}x{side} {'(+)' if plus else '   '} chosen {chosen} "
            f"best {best} ratio {seconds[chosen] / seconds[best]:.2f}, measured {measured} "
            f"{seconds[measured] / seconds[best]:.2f}  (ms) {shown}",
            end="",
        )
