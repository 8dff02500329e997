"""Ways to train one chain of couplings: plain autograd, ours, checkpoints, and two peers.

All ways get the same residual functions on the same dense input of an i-RevNet for CIFAR (three
stages of 16, 64 and 256 channels a stream, 3-3-3 blocks). The peers couple by pairs of functions
and are used where they can be imported (``pip install --no-deps --target DIR memcnn revtorch``
and ``PYTHONPATH=DIR``).

``python -m tests.benchmarks.reversible_ways WAY BLOCKS`` prints the peak memory of one step.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from structnets.analysis.step_cost import allocate_gradients, rise
from structnets.nn import Bottleneck, InvertibleBlock, InvertibleSequential, SpaceToDepth
from structnets.nn.streams import Streams

WIDTHS, BATCH, SIDE = (16, 64, 256), 32, 32
PEERS = ("memcnn", "revtorch")
Kernels = tuple[int, int, int]
RELEASED, PRINTED = (3, 3, 3), (1, 3, 1)  # the code's, the thesis'
Forward = Callable[[Tensor], Tensor]
Stage = list[Bottleneck]


class DownSample(nn.Module):
    """Down-sample both streams."""

    def __init__(self) -> None:
        super().__init__()
        self.rearrange = SpaceToDepth(2)

    def forward(self, streams: Streams) -> Streams:
        return self.rearrange(streams[0]), self.rearrange(streams[1])


class Nothing(nn.Module):
    """The partner of the last of an odd number of residual functions."""

    def forward(self, x: Tensor) -> Tensor:
        return 0 * x


def residual_functions(blocks: int, kernels: Kernels = RELEASED) -> list[Stage]:
    """Build the functions F of three stages, `blocks` each."""
    torch.manual_seed(0)
    return [[Bottleneck(w, w, kernels=kernels) for _ in range(blocks)] for w in WIDTHS]


def images() -> Tensor:
    """Return a dense input (B, 32, 32, 32)."""
    torch.manual_seed(1)
    return torch.randn(BATCH, 2 * WIDTHS[0], SIDE, SIDE)


def ours(stages: list[Stage], reversible: bool = True) -> Forward:
    """Chain blocks of Eq. 39; of nine, narrow outputs are stored; all, if not `reversible`."""
    first, *later = stages
    blocks = [InvertibleBlock(f) for f in first]
    for stage in later:
        blocks += [beginning(stage[0]), *map(InvertibleBlock, stage[1:])]
    chain = InvertibleSequential(*blocks, reversible=reversible, stored_last=0, stored_narrow=9)
    return lambda x: torch.cat(chain(x.chunk(2, 1)), 1)


def beginning(residual: nn.Module) -> InvertibleBlock:
    """Return the block of a down-sampled stream that down-samples it, as the first of a stage."""
    return InvertibleBlock(nn.Sequential(SpaceToDepth(2), residual), downsample=2)


def plain(stages: list[Stage]) -> Forward:
    """Store all activations."""
    return ours(stages, reversible=False)


def checkpointed(stages: list[Stage]) -> Forward:
    """Store the input of every block."""
    down = DownSample()
    chains = [[InvertibleBlock(f) for f in stage] for stage in stages]

    def forward(x: Tensor) -> Tensor:
        streams = x.chunk(2, 1)
        for i, chain in enumerate(chains):
            streams = down(streams) if i else streams
            for block in chain:
                streams = checkpoint(block, streams, use_reentrant=False)
        return torch.cat(streams, 1)

    return forward


def memcnn(stages: list[Stage]) -> Forward:
    """Pairs of functions in memcnn's wrapper."""
    from memcnn import AdditiveCoupling, InvertibleModuleWrapper

    chains = [
        [InvertibleModuleWrapper(AdditiveCoupling(f, g)) for f, g in pairs(s)] for s in stages
    ]
    return by_stage([nn.Sequential(*chain) for chain in chains], copy=True)


def revtorch(stages: list[Stage]) -> Forward:
    """Pairs of functions in revtorch's sequence."""
    from revtorch import ReversibleBlock, ReversibleSequence

    chains = [nn.ModuleList(ReversibleBlock(f, g) for f, g in pairs(s)) for s in stages]
    return by_stage([ReversibleSequence(chain) for chain in chains])


def pairs(stage: Stage) -> list[tuple[nn.Module, nn.Module]]:
    """Group the functions by two."""
    even = [*stage, Nothing()] if len(stage) % 2 else stage
    return list(zip(even[::2], even[1::2], strict=True))


def by_stage(chains: list[nn.Module], copy: bool = False) -> Forward:
    """Down-sample between chains that map merged streams; `copy` where they eat their input."""
    down = SpaceToDepth(2)

    def forward(x: Tensor) -> Tensor:
        for i, chain in enumerate(chains):
            if i:
                x = torch.cat([down(stream) for stream in x.chunk(2, 1)], 1)
            x = chain(x.clone() if copy else x)
        return x

    return forward


WAYS: dict[str, Callable[[list[Stage]], Forward]] = {
    "plain": plain,
    "ours": ours,
    "checkpoint": checkpointed,
    "memcnn": memcnn,
    "revtorch": revtorch,
}


def available() -> list[str]:
    """Return the ways whose libraries are here."""
    return [w for w in WAYS if w not in PEERS or importlib.util.find_spec(w) is not None]


def step_of(
    way: str, blocks: int, batch: int = BATCH, kernels: Kernels = RELEASED
) -> Callable[[], None]:
    """Return one training step; gradients add up in place, so that none is allocated."""
    stages = residual_functions(blocks, kernels)
    forward, x = WAYS[way](stages), images()[:batch].requires_grad_()
    allocate_gradients(w for stage in stages for f in stage for w in f.parameters())

    def step() -> None:
        forward(x).square().mean().backward()

    return step


def peak_rise(way: str, blocks: int) -> float:
    """Return by how many MB one step exceeds what the model and its gradients take."""
    step_of(way, 1, 2)()
    return rise(step_of(way, blocks))


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(peak_rise(sys.argv[1], int(sys.argv[2])))
