"""`ChoosesGaussianWays`: which way a Gaussian layer on images takes, by what it meets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from structnets.nn._chosen_ways import ChoosesWays
from structnets.nn._cost_model import Work
from structnets.nn._discretised import Discretised
from structnets.nn._discretised_cost import cheapest_discretised
from structnets.nn._discretised_terms import DiscretisedWork
from structnets.nn._filter_matrices import is_tiny
from structnets.nn._hybrid import WAYS
from structnets.nn._layouts import is_channels_last_only
from structnets.nn._modes import is_low, needs_plain_operations
from structnets.nn._separable_atoms import SeparableAtoms

REPEATABLE = "repeatable"
CHOSEN = ("auto", REPEATABLE)  # by a cost model
# In half precision rounding magnified a thousandfold in single still is less than its own.
MOST_MAGNIFIED_LOW = 2000.0


class ChoosesGaussianWays(ChoosesWays, Discretised):
    """A Gaussian layer on images that picks its evaluation by shape, unless one is given.

    Attributes
    ----------
    way : str
        One of `CHOSEN`, or the way to take.
    """

    way: str

    @property
    def atoms(self) -> SeparableAtoms:
        """The atoms as tensors of the weights' dtype and device."""
        raise NotImplementedError

    def way_for(self, x: Tensor) -> str:
        """Return how padded maps like `x` are evaluated; the choice is kept in ``plan``."""
        settled = self.settled_way(x, "auto" if self.way in CHOSEN else self.way)
        if settled is not None:
            return settled
        training = self.alpha.requires_grad and torch.is_grad_enabled()
        return self.choose(self._key(x, training), lambda: self._cheapest(x, training))

    def _key(self, x: Tensor, training: bool) -> str:
        gradients = f"{int(training)}{int(training and x.requires_grad)}"
        last = " channels last" if is_channels_last_only(x) else ""
        near = " near" if self.is_near(x) else ""
        return f"{tuple(x.shape)} {x.dtype} {x.device.type} {gradients}{last}{near}"

    def _cheapest(self, x: Tensor, training: bool) -> str:
        work = self.work(x, training)
        if min(work.output_map) < 1:
            return (
                "composed"  # smaller maps than the filters: the plain convolution words the error
            )
        sizes, repeatable = self.discretised_work(x, work), self.way == REPEATABLE
        return cheapest_discretised(sizes, x.device.type, repeatable)

    def work(self, x: Tensor, training: bool = True) -> Work:
        """Return the sizes the cost model needs for padded maps like `x`, a group as an image."""
        with torch.no_grad():  # a checkpoint counts what is saved, and chooses only once
            return Work.of(x, self.alpha, self.atoms, training)

    def settled_way(self, x: Tensor, wanted: str) -> str | None:
        """Return how padded maps are evaluated; None where the fastest way may be chosen."""
        plain, hybrid = needs_plain_operations(x), self.hybrid
        per_channel = self.learn_sigma in ("group", "channel")
        symbolic = isinstance(x, torch.fx.Proxy)
        if not symbolic and x.is_complex():
            return "composed"
        if hybrid is None or symbolic or x.numel() == 0 or min(hybrid.output_size(x)) < 1:
            if plain or x.numel() == 0 or per_channel or (hybrid is not None):
                return "composed"
            whole = wanted == "pieces" or self.log_scale is not None
            if wanted != "auto" and not (whole and is_low(x)):
                # Of smaller maps than the filters the plain convolution words the error.
                return wanted if min(self.output_size(x.shape[-2:])) >= 1 else "composed"
            return "composed" if is_low(x) else None  # rounded in between, digits would be lost
        if is_low(x) and wanted not in ("composed", "stencils"):
            exact = hybrid.magnified <= MOST_MAGNIFIED_LOW and not per_channel
            return "responses" if exact else "composed"
        if wanted in WAYS and not (wanted == "pieces" and plain):
            return wanted
        if wanted != "auto" and wanted not in WAYS and not plain:
            return "composed" if per_channel else wanted
        if plain or x.device.type != "cpu" or per_channel:
            return "composed" if hybrid.differences_lose(x.dtype) else "stencils"
        return None

    def scale_now(self) -> float | None:
        """Return the largest scale of a hybrid layer that learns one set for all channels."""
        if self.hybrid is None or self.learn_sigma != "layer":
            return None
        with torch.no_grad():
            return float(self.sigmas().max())

    def is_near(self, x: Tensor) -> bool:
        """Say whether differences hold their digits now, though the scale may grow too large."""
        hybrid = self.hybrid
        if hybrid is None or not hybrid.differences_lose(x.dtype):
            return False
        sigma = self.scale_now()
        return sigma is not None and not hybrid.differences_lose(x.dtype, sigma)

    def discretised_work(self, x: Tensor, whole: Work) -> DiscretisedWork:
        """Return the sizes the cost model needs for padded maps like `x`."""
        hybrid = self.hybrid
        learned = self.log_scale is not None and self.log_scale.requires_grad
        last = is_channels_last_only(x)
        learned = learned and torch.is_grad_enabled()
        facts: dict[str, Any] = {"groups": self.groups, "learned": learned, "channels_last": last}
        if hybrid is None:
            kind = "dense" if is_tiny(whole.input_map, whole.outputs) else "banded"
            return DiscretisedWork(whole, **facts, filtering=kind)
        sigma = self.scale_now()
        high, wide = (
            (n - 1) * step + 1 + 2 * hybrid.reach * spacing
            for n, step, spacing in zip(whole.output_map, self.stride, self.dilation, strict=True)
        )
        return DiscretisedWork(
            whole,
            **facts,
            scales=len(self.basis.sigmas),
            stencil=2 * hybrid.reach + 1,
            smoothed=(high, wide),
            filtering=hybrid.filtering(x, whole.outputs, sigma),
            differences=not hybrid.differences_lose(x.dtype, sigma),
        )
