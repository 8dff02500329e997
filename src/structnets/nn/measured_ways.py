"""`measure_ways`: layers that time their ways on what they meet, instead of estimating them."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from structnets.nn._chosen_ways import ChoosesWays
from structnets.nn._convolution_arguments import batched
from structnets.nn._discretised_cost import MOST_NUMBERS, estimate_discretised, possible_ways
from structnets.nn._discretised_terms import WAY_TERMS, DiscretisedWork
from structnets.nn._hierarchical_cost import nanoseconds, possible
from structnets.nn._modes import needs_plain_operations
from structnets.nn.attribute_conv import marginal
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.hierarchical_conv import HierarchicalConv

# A way so many times slower than another, as estimated and then as seen, is not timed on: at first
# a single step is told by noise.
HOPELESS_ESTIMATE, HOPELESS_ONCE, HOPELESS = 8.0, 3.0, 1.5
# Ways so near the fastest are told apart by some rounds, whatever those take.
NEAR, ROUNDS_OF_NEAR = 1.15, 9
# Nor is one of these where the maps between its operations would fill the memory.
STORING = ("depthwise", "separable", "banded", "mixed")
LEAST_ROUNDS, MOST_ROUNDS = 5, 25
# Seconds for one kind of input, beyond which it is left at the least rounds.
SECONDS = 0.5
# Numbers beside, 16 MB: a net's other layers leave nothing of this one's in the nearer caches.
ELSEWHERE = 1 << 22
# Ways that need less memory than others are taken where they are as fast but for noise.
NEARLY = 1.03


@contextmanager
def measure_ways(model: nn.Module) -> Iterator[None]:
    """Let a model's layers choose their evaluation by timing it, within a ``with`` block.

    `GaussianConv2d` and `HierarchicalConv` compute the same in several ways and estimate which is
    the fastest. In the block each of them times its ways, on the first input of every kind it
    meets (shape, dtype, which gradients are wanted), and keeps the fastest one for that kind, as
    ``torch.backends.cudnn.benchmark`` does for convolutions on a GPU. Do in the block what the
    program will do: a training step, or an evaluation.

    Parameters
    ----------
    model : nn.Module
        Any. Its weights, statistics and gradients, and the random numbers, are what they would be
        without.

    Raises
    ------
    TypeError
        If `model` is no module.

    Limits
    ------
    Only on processors; elsewhere, in half precision, while something is traced and in layers with
    a given ``way`` nothing is measured. One thread is timed by the CPU seconds it takes, so that
    other programs hardly matter; several are timed by the clock, so let the machine be idle then.
    What is chosen differs between machines and between runs, and with it the rounding of results:
    keep `chosen_ways` where a training is to be repeated to the bit. It takes some tens of steps'
    time, once.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv2d, chosen_ways, measure_ways
    >>> layer = GaussianConv2d(3, 8, order=2)
    >>> images = torch.zeros(2, 3, 16, 16)
    >>> with measure_ways(layer):
    ...     layer(images).sum().backward()
    >>> len(chosen_ways(layer)[""])  # kinds of input
    1
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"measure_ways takes an nn.Module, got {type(model).__name__}")
    layers = [layer for layer in model.modules() if isinstance(layer, ChoosesWays)]
    hooks = [layer.register_forward_pre_hook(_Measurement(), with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Measurement:
    """Before a layer's call: measure its ways if the kind of input is new in this block."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, layer: ChoosesWays, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        inputs = [*args, *kwargs.values()]
        x = inputs[0] if len(inputs) == 1 else None
        if not isinstance(x, Tensor) or needs_plain_operations(x) or x.device.type != "cpu":
            return
        step = _Step(layer, x)
        if step.key is None or step.key in self.seen:
            return
        self.seen.add(step.key)
        layer.plan[step.key] = fastest(step)


class _Step:
    """One call of a copy of a layer on maps like `x`, with its backward pass where one is wanted.

    Attributes
    ----------
    key : str or None
        The kind of input; None where the layer has nothing to choose.
    """

    def __init__(self, layer: ChoosesWays, x: Tensor) -> None:
        wants = x.requires_grad and torch.is_grad_enabled()
        self.x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_(wants)
        self.layer, self.key = _twin(layer), None
        self.twins: dict[str, Any] = {}  # by way: what a layer keeps for the next call is for one
        self.elsewhere = torch.zeros(ELSEWHERE)
        if self.layer is not None:
            self.maps = _as_chosen_by(self.layer, self.x)
            self.layer.way_for(self.maps)
            self.key = next(iter(self.layer.plan), None)

    def estimates(self) -> dict[str, float]:
        """Return the seconds that each way is estimated to take, of those to be timed."""
        layer = self.layer
        training = torch.is_grad_enabled() and any(p.requires_grad for p in layer.parameters())
        work = layer.work(self.maps, training)
        if isinstance(layer, HierarchicalConv):
            return {way: nanoseconds(work, way) for way in possible(work)}
        sizes = layer.discretised_work(self.maps, work)
        return {way: estimate_discretised(sizes, way) for way in ways_to_time(sizes)}

    def __call__(self, way: str) -> float:
        """Evaluate in a way, and return the seconds it took.

        Other memory is read and written before, as by the other layers of a net.
        """
        layer = self.twins.get(way)
        if layer is None:
            layer = self.twins[way] = _twin(self.layer)
            layer.plan = {self.key: way}
        self.elsewhere += 1
        clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
        begun = clock()
        # Hooks of a checkpoint around the layer would count what is saved here.
        with saved_tensors_hooks(_as_it_is, _as_it_is):
            out = layer(self.x)
            if out.requires_grad:
                leaves = [self.x, *layer.parameters()]
                wanted = [tensor for tensor in leaves if tensor.requires_grad]
                torch.autograd.grad(out, wanted, torch.ones_like(out))
        return clock() - begun


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _twin(layer: ChoosesWays) -> Any:
    """Return a copy whose calls are seen by nobody and change nothing of the layer.

    None if it cannot be copied, as with weights that something else computes.
    """
    try:
        with torch.no_grad():
            twin = copy.deepcopy(layer)
    except RuntimeError:
        return None
    for hooks in (twin._forward_pre_hooks, twin._forward_hooks, twin._backward_hooks):
        hooks.clear()
    twin.plan = {}
    return twin


def _as_chosen_by(layer: ChoosesWays, x: Tensor) -> Tensor:
    """Return an input as ``way_for`` takes it."""
    if isinstance(layer, HierarchicalConv):
        return marginal(x, layer.reduction)
    assert isinstance(layer, GaussianConv2d)
    return layer.padded(batched(x, layer.in_channels, "H, W")[0])


def ways_to_time(sizes: DiscretisedWork) -> list[str]:
    """List the ways of a Gaussian layer whose maps between operations leave room in memory."""
    return [
        way
        for way in possible_ways(sizes)
        if way not in STORING or WAY_TERMS[way](sizes)[4] <= MOST_NUMBERS
    ]


def fastest(step: _Step) -> str:
    """Return the way whose steps take the least time, all timed by turns."""
    estimates = step.estimates()
    limit = HOPELESS_ESTIMATE * min(estimates.values())
    ways = [way for way, seconds in estimates.items() if seconds <= limit]
    if len(ways) == 1:
        return ways[0]
    begun = time.perf_counter()
    for way in ways:  # what a first call makes is kept for the next
        step(way)
    taken = {way: [step(way)] for way in ways}
    for round_ in range(1, MOST_ROUNDS):
        limit, late = HOPELESS_ONCE, time.perf_counter() - begun > SECONDS
        if round_ >= LEAST_ROUNDS:
            limit = NEAR if late else HOPELESS
        least = min(map(_usual, taken.values()))
        left = [way for way, seconds in taken.items() if _usual(seconds) <= limit * least]
        if len(left) == 1 or (late and round_ >= ROUNDS_OF_NEAR):
            break
        for way in left:
            taken[way].append(step(way))
    usual = {way: _usual(seconds) for way, seconds in taken.items()}
    best = min(usual, key=usual.__getitem__)
    sparing = "pieces" if torch.is_grad_enabled() else "composed"
    return sparing if usual.get(sparing, float("inf")) <= NEARLY * usual[best] else best


def _usual(seconds: list[float]) -> float:
    """Return the lower quartile: noise only adds."""
    return sorted(seconds)[len(seconds) // 4]
