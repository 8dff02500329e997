"""`KeepsFilters`: layers that keep their composed filters between calls without gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from structnets.nn._bounded_cache import is_ordinary
from structnets.nn._gaussian_ways import ChoosesGaussianWays
from structnets.nn._layouts import is_channels_last_only, layout_of
from structnets.nn._modes import is_low, needs_plain_operations


class KeptFilters:
    """The filters that were composed of certain weights, until other weights are met.

    Weights are compared number by number with a copy of those met last: a version counter would
    not see what is written through ``.data``. That takes less than composing by the number of
    taps. Never part of a copy or a file.

    Attributes
    ----------
    kind, key, way
        What the layer notes of the call that the filters served last.
    """

    def __init__(self) -> None:
        self._found: tuple[list[Tensor], Tensor] | None = None
        self.kind: tuple[Any, ...] | None = None
        self.key: str | None = None
        self.way: str | None = None

    def get(
        self, weights: Sequence[Tensor], compose: Callable[[], Tensor], layout: torch.memory_format
    ) -> Tensor:
        """Return the filters of the weights, composed now unless these are the kept ones."""
        found = self.unchanged(weights)
        if found is not None and found.is_contiguous(memory_format=layout):
            return found
        with torch.inference_mode(False), torch.no_grad():
            filters = (compose() if found is None else found).contiguous(memory_format=layout)
            known = None if found is None else self._found
            copies = known[0] if known else [w.detach().clone() for w in weights]
        if all(map(is_ordinary, (*copies, filters))):
            self._found = copies, filters
        return filters

    def unchanged(self, weights: Sequence[Tensor]) -> Tensor | None:
        """Return the kept filters if they are those of the weights."""
        found = self._found
        return found[1] if found is not None and all(map(_same, found[0], weights)) else None

    def clear(self) -> None:
        """Forget the filters."""
        self._found = self.kind = self.key = self.way = None

    def __deepcopy__(self, memo: Any) -> KeptFilters:
        """Return one that keeps nothing."""
        return KeptFilters()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as one that keeps nothing."""
        return KeptFilters, ()


class KeepsFilters(ChoosesGaussianWays):
    """A layer of images that in evaluation answers by filters which it composed before."""

    def prepare_kept(self) -> None:
        """Begin with no filters."""
        self._kept = KeptFilters()

    def convolved(self, x: Tensor, kernel: Tensor, way: str) -> Tensor:
        """Convolve padded maps with given filters, laid out as a way wants them."""
        raise NotImplementedError

    def finished(self, out: Tensor, x: Tensor) -> Tensor:
        """Lay answers out as the maps are, and add the bias."""
        raise NotImplementedError

    def keeps(self, x: Tensor) -> bool:
        """Say whether composed filters are kept for the next call: evaluation without gradients."""
        if self.training or torch.is_grad_enabled() or needs_plain_operations(x):
            return False
        return x.device.type == "cpu" and not is_low(x)

    def convolved_by_kept(self, x: Tensor, key: str, way: str) -> Tensor:
        """Convolve padded maps, whose way is planned under a key, by the filters kept."""
        kept, layout = self._kept, layout_of(x, other=way == "relaid")
        filters = kept.get(self._weights(), self.kernel, layout)
        if self.padding_mode == "zeros":
            kept.kind, kept.key, kept.way = self._kind(x), key if key in self.plan else None, way
        return self.convolved(x, filters, way)

    def answered_again(self, x: Tensor) -> Tensor | None:
        """Answer maps of the last call's kind by the filters it kept; None where a thing differs.

        Small layers take longer to be asked what they are asked at every call than to convolve.
        """
        if needs_plain_operations(x) or type(x) is not Tensor or torch.is_grad_enabled():
            return None
        kept = self._kept
        if kept.kind != self._kind(x) or torch.is_autocast_enabled("cpu"):
            return None
        if kept.way is None or (kept.key is not None and self.plan.get(kept.key) != kept.way):
            return None  # another way is planned now
        filters = kept.unchanged(self._weights())
        return None if filters is None else self.finished(self.convolved(x, filters, kept.way), x)

    def _kind(self, x: Tensor) -> tuple[Any, ...]:
        return x.shape, x.dtype, x.device, is_channels_last_only(x), self.way

    def _weights(self) -> list[Tensor]:
        return [self.alpha] if self.log_scale is None else [self.alpha, self.log_scale]

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._kept.clear()
        return super()._apply(fn, recurse)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation, in which composed filters are kept between calls."""
        if mode:
            self._kept.clear()
        return super().train(mode)


def _same(kept: Tensor, given: Tensor) -> bool:
    alike = kept.dtype == given.dtype and kept.device == given.device and kept.shape == given.shape
    return alike and torch.equal(kept, given)
