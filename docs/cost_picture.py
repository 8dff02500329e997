"""Measure and draw what Gaussian layers cost against scale and order.

Command: ``python docs/cost_picture.py`` (writes ``docs/_static/gaussian_cost.png``; about a minute
of one core, of which it counts its own seconds only).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from structnets.nn import GaussianConv2d

OUT = Path(__file__).parent / "_static" / "gaussian_cost.png"
CHANNELS, SIDE, BATCH, REPETITIONS = 64, 32, 4, 3
SCALES, ORDERS = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0), (1, 2, 3, 4)
KINDS: dict[str, dict] = {
    "hybrid": {"discretisation": "hybrid"},
    "hybrid, scale learned": {"discretisation": "hybrid", "learn_sigma": True},
    "sampled (the thesis')": {"discretisation": "sampled"},
}
PLAIN, SAME = "plain", "nn.Conv2d of the same support"
STYLES = dict(zip([*KINDS, SAME], ("C0o-", "C1s-", "C2^-", "k--"), strict=True))


def gaussian(order: int, sigma: float, options: dict) -> nn.Module:
    """Return a layer."""
    return GaussianConv2d(CHANNELS, CHANNELS, order=order, sigmas=sigma, bias=False, **options)


def layers(order: int, sigma: float) -> dict[str, nn.Module]:
    """Return what is compared at an order and a scale."""
    found = {name: gaussian(order, sigma, options) for name, options in KINDS.items()}
    size = gaussian(order, sigma, KINDS["sampled (the thesis')"]).kernel_size
    found[PLAIN] = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
    found[SAME] = nn.Conv2d(CHANNELS, CHANNELS, size, padding="same", bias=False)
    return found


def step(layer: nn.Module, x: torch.Tensor) -> Callable[[], float]:
    """Return an action: forward and backward, that returns its CPU seconds."""

    def act() -> float:
        begun = time.process_time()
        out = layer(x)
        torch.autograd.grad(out, [x, *layer.parameters()], torch.ones_like(out))
        return time.process_time() - begun

    return act


def ratios(order: int, sigma: float) -> dict[str, float]:
    """Return the training steps of all layers beside the plain one's, medians taken in turn."""
    x = torch.randn(BATCH, CHANNELS, SIDE, SIDE, requires_grad=True)
    actions = {name: step(layer, x) for name, layer in layers(order, sigma).items()}
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(REPETITIONS + 1):
        for name, act in actions.items():
            taken[name].append(act())
    seconds = {name: statistics.median(values[1:]) for name, values in taken.items()}
    return {name: value / seconds[PLAIN] for name, value in seconds.items() if name != PLAIN}


def draw(axis: Axes, places: tuple[float, ...], found: list[dict[str, float]]) -> None:
    """Draw a line for each kind of layer."""
    for name, style in STYLES.items():
        axis.plot(places, [one[name] for one in found], style, label=name, markersize=5)
    axis.axhline(1, color="0.6", linewidth=1)
    axis.set_yscale("log", base=2)
    axis.yaxis.set_major_formatter("{x:g}")
    axis.grid(visible=True, color="0.9")


def main() -> None:
    """Measure and draw."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    along_scale = [ratios(2, sigma) for sigma in SCALES]
    along_order = [ratios(order, 1.0) for order in ORDERS]
    for title, found in (("scales, order 2", along_scale), ("orders, scale 1", along_order)):
        print(title, *({k: round(v, 2) for k, v in one.items()} for one in found), sep="\n  ")
    mpl.rcParams.update({"font.size": 9, "savefig.dpi": 150})
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    draw(left, SCALES, along_scale)
    left.set_xscale("log", base=2)
    left.set_xticks(SCALES, [f"{sigma:g}" for sigma in SCALES])
    left.minorticks_off()
    left.set_xlabel("scale σ in pixels (order 2)")
    left.set_ylabel("training step ÷ that of a 3 × 3 convolution")
    draw(right, ORDERS, along_order)
    right.set_xticks(ORDERS)
    right.set_xlabel("order (σ = 1)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.savefig(OUT)


if __name__ == "__main__":
    main()
