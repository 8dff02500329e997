"""The process group a training runs in, if any (torchrun or Ray Train set it up)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Workers:
    """Rank and size of the process group; one process without it."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> Workers:
        """Return the initialised process group."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Return `model` with gradients averaged over the workers."""
        if self.size == 1:
            return model
        return DistributedDataParallel(
            model, device_ids=[device] if device.type == "cuda" else None
        )

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over the workers, in place."""
        if self.size > 1:
            distributed.all_reduce(tensor)
        return tensor

    def any(self, flag: bool, device: torch.device) -> bool:
        """Say whether any worker raises `flag`, so that all act at the same step."""
        if self.size == 1:
            return flag
        return bool(self.sum(torch.tensor(int(flag), device=device)))

    def barrier(self) -> None:
        """Wait for the others."""
        if self.size > 1:
            distributed.barrier()
