"""Every layer in two processes (gloo): data parallel, and with weights in shards.

``python -m tests.matrix.workers FOLDER RANK`` writes what became of each cell to a file.
"""

from __future__ import annotations

import copy
import json
import sys
import traceback
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from tests.matrix.comparing import assert_near
from tests.matrix.layers import LAYERS, Layer

USES = ("DDP, two processes", "FSDP2, two processes")


def expected_of(layer: Layer, module: nn.Module) -> list[Tensor]:
    """Return the gradients of the mean of both processes' losses."""
    samples = layer.samples(4)
    losses = [module(part).square().mean() for part in samples.chunk(2)]
    return list(torch.autograd.grad((losses[0] + losses[1]) / 2, list(module.parameters())))


def trained(layer: Layer, use: str, rank: int) -> None:
    """Compare the gradients of one step with those of one process."""
    module = layer.module().eval() if layer.normed else layer.module()
    if not list(module.parameters()):
        return
    expected = expected_of(layer, copy.deepcopy(module))
    if use.startswith("DDP"):
        parallel: nn.Module = DistributedDataParallel(module)
    else:
        parallel = fully_shard(module, mesh=init_device_mesh("cpu", (2,)))  # type: ignore[assignment]
    parallel(layer.samples(4).chunk(2)[rank]).square().mean().backward()
    found = []
    for parameter in module.parameters():
        grad = parameter.grad
        assert grad is not None
        found.append(grad.full_tensor() if hasattr(grad, "full_tensor") else grad)  # type: ignore[operator]
    assert_near(found, expected)


def main(folder: Path, rank: int) -> None:
    """Check all cells as one of the two processes."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2
    )
    found = {}
    for name, layer in LAYERS.items():
        for use in USES:
            try:
                trained(layer, use, rank)
                found[f"{name} | {use}"] = "right"
            except Exception:
                found[f"{name} | {use}"] = traceback.format_exc()
    (folder / f"{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
