"""`GaussianConv3d`: separable passes as matrix products beside separable and dense ``conv3d``."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn import GaussianConv3d
from tests.benchmarks.timing import seconds_of, warm_up

MNI_2MM = (91, 109, 91)
REPETITIONS = 3
DENSE_LINES = 2


def convolved(layer: GaussianConv3d, x: Tensor) -> Callable[[], list[Tensor]]:
    """Return an action: all atoms by 1-D ``conv3d``, sharing passes as the layer does."""
    profiles = torch.tensor(layer.basis.profiles).to(x)
    (grid,) = layer.grids(x.shape[2:])
    size, half = layer.kernel_size, layer.kernel_size // 2

    def along(maps: Tensor, chosen: list[int], axis: int) -> Tensor:
        shape, padding = [1, 1, 1], [0, 0, 0]
        shape[axis], padding[axis] = size, half
        weight = profiles[chosen].view(-1, 1, *shape)
        return functional.conv3d(maps, weight, padding=padding)

    tree = grid.tree
    firsts = sorted({z for z, _ in tree.pairs})

    def action() -> list[Tensor]:
        along_z = along(x, firsts, 0)
        pairs: dict[int, Tensor] = {}
        for i, z in enumerate(firsts):
            members = [k for k, pair in enumerate(tree.pairs) if pair[0] == z]
            maps = along(along_z[:, i : i + 1], [tree.pairs[k][1] for k in members], 1)
            pairs |= {k: maps[:, j : j + 1] for j, k in enumerate(members)}
        lasts = [
            along(maps, [t.profile for t in tree.lasts if t.start <= k < t.stop], 2)
            for k, maps in pairs.items()
        ]
        return lasts

    return action


def dense_lines(layer: GaussianConv3d, x: Tensor) -> Callable[[], Tensor]:
    """Return an action: a few output lines of the dense convolution with all atoms."""
    z, y, w = (
        torch.tensor(layer.basis.profiles[layer.basis.factors[:, i]]).to(x) for i in range(3)
    )
    weight = torch.einsum("nz,ny,nx->nzyx", z, y, w)[:, None]
    padded = functional.pad(x, [layer.kernel_size // 2] * 6)
    slab = padded[:, :, : layer.kernel_size, : layer.kernel_size + DENSE_LINES - 1].contiguous()
    return lambda: functional.conv3d(slab, weight)


@pytest.mark.benchmark
@pytest.mark.parametrize("threads", [1, 2])
def test_passes_beside_conv3d(threads: int) -> None:
    """The dense time is extrapolated from two of its 9,919 output lines, by their number."""
    torch.set_num_threads(threads)
    warm_up()
    print(f"\n{threads} threads, one channel {MNI_2MM}, 20 atoms, forward")
    for sigma in (1.0, 4.0, 16.0):
        layer, x = GaussianConv3d(1, 1, order=3, sigmas=(sigma,)), torch.randn(1, 1, *MNI_2MM)
        separable = convolved(layer, x)
        ours = torch.cat([maps.flatten() for maps in layer.responses(x)])
        theirs = torch.cat([maps.flatten() for maps in separable()])
        # The atoms come in another order: equal in energy.
        torch.testing.assert_close(ours.double().norm(), theirs.double().norm())
        # `repeated` would give up on an action this much slower.
        pairs = [
            (seconds_of(lambda: layer.responses(x)), seconds_of(separable))  # noqa: B023
            for _ in range(REPETITIONS)
        ]
        passes, convolutions = (statistics.median(times) for times in zip(*pairs, strict=True))
        shown = f"sigma {sigma:4g}: {1e3 * passes:7.1f} ms, conv3d passes "
        shown += f"{1e3 * convolutions:8.1f} ms, ratio {passes / convolutions:.3f}"
        if sigma == 16:
            few = dense_lines(layer, x)
            lines = min(seconds_of(few) for _ in range(3))
            dense = lines * MNI_2MM[0] * MNI_2MM[1] / DENSE_LINES
            shown += f", dense about {dense:.0f} s, {dense / passes:.0f} x"
        print(shown)
