"""`KeptFilters`: composed filters that are kept between calls without gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from structnets.nn._bounded_cache import is_ordinary


class KeptFilters:
    """The filters that were composed of certain weights, until other weights are met.

    Weights are compared number by number with a copy of those met last: a version counter would
    not see what is written through ``.data``. That takes less than composing by the number of
    taps. Never part of a copy or a file.

    Attributes
    ----------
    kind, key
        What the layer notes of the call that the filters served last.
    """

    def __init__(self) -> None:
        self._found: tuple[list[Tensor], Tensor] | None = None
        self.kind: tuple[Any, ...] | None = None
        self.key: str | None = None

    def get(self, weights: Sequence[Tensor], compose: Callable[[], Tensor]) -> Tensor:
        """Return the filters of the weights, composed now unless these are the kept ones."""
        if (found := self.unchanged(weights)) is not None:
            return found
        with torch.inference_mode(False), torch.no_grad():
            filters = compose()
            copies = [w.detach().clone() for w in weights]
        if all(map(is_ordinary, (*copies, filters))):
            self._found = copies, filters
        return filters

    def unchanged(self, weights: Sequence[Tensor]) -> Tensor | None:
        """Return the kept filters if they are those of the weights."""
        found = self._found
        return found[1] if found is not None and all(map(_same, found[0], weights)) else None

    def clear(self) -> None:
        """Forget the filters."""
        self._found = self.kind = self.key = None

    def __deepcopy__(self, memo: Any) -> KeptFilters:
        """Return one that keeps nothing."""
        return KeptFilters()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as one that keeps nothing."""
        return KeptFilters, ()


def _same(kept: Tensor, given: Tensor) -> bool:
    alike = kept.dtype == given.dtype and kept.device == given.device and kept.shape == given.shape
    return alike and torch.equal(kept, given)
