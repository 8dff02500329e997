"""One of two processes that train an i-RevNet together; `test_reversible_workers` starts them.

``python reversible_worker.py RANK FOLDER`` writes the gradients and statistics that this process
ends with to ``FOLDER/rank<RANK>.pt``; rank 0 also computes those of one process alone.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from structnets.models.irevnet import IRevNet, irevnet

RANK, FOLDER = int(sys.argv[1]), Path(sys.argv[2])


def model_and_images() -> tuple[IRevNet, Tensor]:
    torch.manual_seed(0)
    model = irevnet(blocks=(2, 2), strides=(2, 2), channels=(24, 96)).double()
    return model, torch.rand(8, 3, 16, 16, dtype=torch.float64)


def two_steps(model: nn.Module, batches: tuple[Tensor, Tensor]) -> None:
    """Accumulate the gradients of two batches; the second backward finds the first's."""
    for images in batches:
        model(images).square().mean().backward()


def found(model: nn.Module) -> dict[str, Tensor]:
    state = {name: value.clone() for name, value in model.named_buffers()}
    return state | {f"grad {n}": p.grad for n, p in model.named_parameters() if p.grad is not None}


def alone() -> dict[str, Tensor]:
    """Average the gradients of plain autograd over the two shares; batch norm stays local."""
    grads: dict[str, Tensor] = {}
    for rank in (1, 0):
        model, images = model_and_images()
        model.features.reversible = False
        two_steps(model, share(images, rank))
        for name, value in found(model).items():
            old = grads.get(name, torch.zeros_like(value))
            grads[name] = old + value / 2 if name.startswith("grad") else value
    return grads


def share(images: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    first, second = images.chunk(2)[rank].chunk(2)
    return first, second


def main() -> None:
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group(
        "gloo", init_method=f"file://{FOLDER}/meeting", rank=RANK, world_size=2
    )
    model, images = model_and_images()
    wrapped = DistributedDataParallel(copy.deepcopy(model), broadcast_buffers=False)
    two_steps(wrapped, share(images, RANK))
    torch.save(found(wrapped.module), FOLDER / f"rank{RANK}.pt")
    distributed.destroy_process_group()
    if RANK == 0:
        torch.save(alone(), FOLDER / "alone.pt")


if __name__ == "__main__":
    main()
