"""What Gaussian layers cost beside the plain 3 x 3 convolutions a user has: training steps.

CPU seconds of one thread, which neighbours on the machine disturb least; medians of interleaved
repetitions, as ratios to the plain layer or net, each beside its floor: the longer of what its
products and its bytes take on this machine. Nothing is asserted: the processor decides.

N-JetNet's layers are measured too where its code is importable as ``srf``
(https://github.com/SilviaLauraPintea/N-JetNet has no package: put a clone on PYTHONPATH).
``BENCH_REPETITIONS`` says how many repetitions (5); with ``BENCH_WAYS=measured`` layers choose by
`measure_ways` instead of estimates.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import GaussianConv2d, measure_ways, structure
from tests.benchmarks.floors import floor_seconds
from tests.benchmarks.timing import repeated, warm_up

REPETITIONS = int(os.environ.get("BENCH_REPETITIONS", "5"))
MEASURED = os.environ.get("BENCH_WAYS") == "measured"
PEER = "N-JetNet, order 3"
BATCH = 8
MAPS = ((64, 64), (128, 32), (256, 16), (512, 8))  # channels and width, those of ResNet-18 here
KINDS: dict[str, dict] = {
    "order 2, sigma 1": {"order": 2},
    "order 2, sigma 4": {"order": 2, "sigmas": 4.0},
    "order 2, learned": {"order": 2, "learn_sigma": True},
    "order 2, sigma 4, learned": {"order": 2, "sigmas": 4.0, "learn_sigma": True},
    "order 3, sigma 1": {"order": 3},
    "order 3, sampled": {"order": 3, "discretisation": "sampled"},
}


def peer(channels: int) -> nn.Module | None:
    """Return N-JetNet's layer of order 3 that learns its scale, if it can be had."""
    if importlib.util.find_spec("srf") is None:
        return None
    module = importlib.import_module("srf.structured_conv_layer")
    sizes = {"inC": channels, "outC": channels, "init_k": 2, "init_order": 3, "init_scale": 0}
    return module.Srf_layer_shared(**sizes, learn_sigma=True, use_cuda=False)


def resnet() -> nn.Module:
    """Return ResNet-18 for 64 x 64 images: its first convolution keeps the resolution."""
    torchvision = pytest.importorskip("torchvision")
    net = torchvision.models.resnet18(num_classes=10)
    net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = nn.Identity()
    return net


def step_of(model: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return an action: forward and backward, to the input too where it wants a gradient."""
    with measure_ways(model) if MEASURED else contextlib.nullcontext():
        above = torch.randn_like(model(x).detach())
    wanted = [*model.parameters(), *([x] if x.requires_grad else [])]
    return lambda: torch.autograd.grad(model(x), wanted, above)


def measure(plain: nn.Module, structured: dict[str, nn.Module], x: Tensor) -> dict[str, float]:
    """Return CPU seconds of steps, the plain one under ``plain``."""
    actions = {name: step_of(model, x) for name, model in structured.items()}
    return repeated({"plain": step_of(plain, x), **actions}, REPETITIONS, clock=time.process_time)


def show(title: str, seconds: dict[str, float], floors: dict[str, float]) -> None:
    """Print ratios to the plain one; in parentheses the floor's."""
    plain = seconds["plain"]
    print(f"\n{title}: plain {1e3 * plain:.0f} ms")
    for name, taken in seconds.items():
        floor = f" (floor {floors[name] / plain:.2f})" if name in floors else ""
        print(f"  {name} {taken / plain:.2f}{floor}")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warm_up()


@pytest.mark.benchmark
@pytest.mark.parametrize(("channels", "width"), MAPS)
def test_layers(channels: int, width: int) -> None:
    x = torch.randn(BATCH, channels, width, width, requires_grad=True)
    hybrid = {"discretisation": "hybrid", "bias": False}
    layers: dict[str, nn.Module] = {
        name: GaussianConv2d(channels, channels, **{**hybrid, **options})
        for name, options in KINDS.items()
    }
    plain = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    floors = {name: floor_seconds(layer, x) for name, layer in {"plain": plain, **layers}.items()}
    if (other := peer(channels)) is not None:
        layers[PEER] = other
    show(f"{channels} channels, {width} x {width}", measure(plain, layers, x), floors)


@pytest.mark.benchmark
def test_resnet18() -> None:
    x = torch.randn(BATCH, 3, 64, 64)
    nets = {}
    for name, options in KINDS.items():
        nets[name] = structure(resnet(), keep_weights=False, **options).model
    floors = {name: net_floor(net, x) for name, net in {"plain": resnet(), **nets}.items()}
    show("ResNet-18, 64 x 64", measure(resnet(), nets, x), floors)


def net_floor(net: nn.Module, x: Tensor) -> float:
    """Return the floors of a net's wide convolutions, at the size of their output, summed."""
    found: list[float] = []

    def add(layer: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        found.append(floor_seconds(layer, inputs[0][..., : out.shape[2], : out.shape[3]]))

    hooks = [
        layer.register_forward_hook(add)
        for layer in net.modules()
        if isinstance(layer, (nn.Conv2d, GaussianConv2d)) and max(layer.kernel_size) > 1
    ]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return sum(found)


@pytest.mark.benchmark
@pytest.mark.parametrize(("channels", "width"), MAPS[:2])
def test_compiled_layers(channels: int, width: int) -> None:
    x = torch.randn(BATCH, channels, width, width, requires_grad=True)
    plain = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    layer = GaussianConv2d(channels, channels, order=2, discretisation="hybrid", bias=False)
    compiled = [functools.partial(torch.compile, fullgraph=True)(m) for m in (plain, layer)]
    seconds = measure(compiled[0], {"order 2, sigma 1": compiled[1]}, x)
    floors = {"plain": floor_seconds(plain, x), "order 2, sigma 1": floor_seconds(layer, x)}
    show(f"compiled, {channels} channels, {width} x {width}", seconds, floors)
