"""`ChoosesWays`: layers that pick their evaluation by shape, and what a model has picked.

Ways differ in rounding only. A training that is to be repeated to the bit keeps what its layers
chose in its checkpoint, by `chosen_ways` and `set_chosen_ways`; ``state_dict()`` holds tensors
only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import nn

MOST_CHOICES = 1024


class ChoosesWays(nn.Module):
    """A layer whose ``plan`` remembers the chosen way of every kind of input it met last."""

    ways: Collection[str] = ()
    plan: dict[str, str]

    def choose(self, key: str, choose: Callable[[], str]) -> str:
        """Return the way planned for a key, chosen now if there is none."""
        way = self.plan.get(key)
        if way is None:
            way = self.plan[key] = choose()
            while len(self.plan) > MOST_CHOICES:
                self.plan.pop(next(iter(self.plan)), None)
        return way

    def set_plan(self, plan: Mapping[str, str]) -> None:
        """Take over a plan; ways this version does not know are dropped."""
        self.plan = {key: way for key, way in plan.items() if way in self.ways}

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        # Files of the first edition kept the plan beside the tensors.
        state = state_dict.pop(f"{prefix}_extra_state", None)
        if isinstance(state, Mapping):
            self.set_plan(state)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def chosen_ways(model: nn.Module) -> dict[str, dict[str, str]]:
    """Return the ways that a model's layers chose, by the layers' names.

    Parameters
    ----------
    model : nn.Module
        Any.

    Returns
    -------
    dict
        Plain data, to be saved beside the weights.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv2d, chosen_ways
    >>> layer = GaussianConv2d(1, 64, order=3)
    >>> _ = layer(torch.zeros(25, 1, 28, 28))
    >>> list(chosen_ways(layer)[""])  # shape, dtype, device, gradients of weights and input
    ['(25, 1, 28, 28) torch.float32 cpu 10']
    """
    return {
        name: dict(layer.plan)
        for name, layer in model.named_modules()
        if isinstance(layer, ChoosesWays) and layer.plan
    }


def set_chosen_ways(model: nn.Module, ways: Mapping[str, Mapping[str, str]]) -> None:
    """Let a model's layers evaluate as those of another did, see `chosen_ways`.

    Layers that are not named keep their choices; names of no such layer are passed over.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv2d, chosen_ways, set_chosen_ways
    >>> first, second = GaussianConv2d(1, 2), GaussianConv2d(1, 2)
    >>> _ = first(torch.zeros(1, 1, 8, 8))
    >>> set_chosen_ways(second, chosen_ways(first))
    >>> second.plan == first.plan
    True
    """
    for name, layer in model.named_modules():
        if isinstance(layer, ChoosesWays) and name in ways:
            layer.set_plan(ways[name])
