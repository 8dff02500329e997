"""`HybridTensors`: what the evaluation of hybrid derivatives takes from a layer as tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class HybridTensors:
    """The tensors of a layer's atoms.

    Parameters
    ----------
    smoothing : pair of Tensor, shape (S, K) or (C, S, K)
        The Gaussian of every scale along y and x; or of every channel and scale.
    powers : Tensor, shape (N,) or (C, N)
        What differences are multiplied with: sigma^n where derivatives are scale-normalised.
    differences : Tensor, shape (N, k, k)
        Central differences of every atom.
    halves : Tensor, shape (N,)
        What differences with whole numbers as taps are multiplied with to be those.
    profiles : callable
        Returns the whole filters along y and x, shape (P, K) each.
    scales : Tensor, shape (S,), optional
        Scales that a layer learns, one set for all channels.
    rates : pair of Tensor, optional
        The derivatives of `smoothing` by them.
    """

    smoothing: tuple[Tensor, Tensor]
    powers: Tensor
    differences: Tensor
    halves: Tensor
    profiles: Callable[[], tuple[Tensor, ...]]
    scales: Tensor | None = None
    rates: tuple[Tensor, Tensor] | None = None

    @property
    def per_channel(self) -> bool:
        """Whether every channel has scales of its own."""
        return self.powers.ndim == 2
