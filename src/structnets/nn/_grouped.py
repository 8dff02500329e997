"""Groups of channels one after the other, for what knows no groups."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def by_group(
    mix: Callable[[Tensor, Tensor], Tensor], x: Tensor, alpha: Tensor, groups: int
) -> Tensor:
    """Mix the channels of each group, maps (B, C, ...) by weights (O, C / groups, ...).

    A single group is given as it is: a chunk would forbid writing into what it is one of.
    """
    if groups == 1:
        return mix(x, alpha)
    parts = zip(x.chunk(groups, 1), alpha.chunk(groups), strict=True)
    return torch.cat([mix(maps, weights) for maps, weights in parts], 1)
