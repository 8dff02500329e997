"""`InvertibleSequential`: a chain of invertible modules, and its inverse."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.streams import Streams


class InvertibleSequential(nn.Sequential):
    """Modules in turn, each with an ``inverse``; slices invert parts of the chain.

    In training mode, chains of `InvertibleBlock` store no activations (see
    `structnets.nn.reversible`), apart from those of the first and the last few blocks; forward
    hooks of the others do not run then, and those of their residual functions run twice.

    Parameters
    ----------
    *modules : nn.Module
        Or one ordered dict of them; each has an ``inverse`` method.
    reversible : bool
        Recompute activations in training mode; else they are stored as usual.
    stored_first : int
        Blocks at the beginning whose activations are stored. Where a stream has constant
        channels (after `InjectivePad`: in the first two blocks) batch norm puts them exactly on
        the kink of ReLU and amplifies them, so that a recovered input, right to the last digit
        but one, would have wrong gradients.
    stored_last : int
        Blocks at the end whose activations are stored, since the backward pass begins with
        them. One costs no memory at the peak: it would be evaluated again at once. Each further
        one saves the time of evaluating its F a second time and costs the memory of its
        activations, whatever the depth. Of several chains in a row give all but the last 0.
    """

    def __init__(
        self,
        *modules: Any,
        reversible: bool = True,
        stored_first: int = 0,
        stored_last: int = 1,
    ) -> None:
        super().__init__(*modules)
        for name, value in (("stored_first", stored_first), ("stored_last", stored_last)):
            if value < 0:
                raise ValueError(f"{name} must be >= 0, got {value}")
        for name, module in self.named_children():
            if not callable(getattr(module, "inverse", None)):
                raise TypeError(
                    f"every module needs an inverse method; {name} ({type(module).__name__}) "
                    "has none"
                )
        self.reversible = reversible
        self.stored_first, self.stored_last = stored_first, stored_last

    def forward(self, x: Any) -> Any:
        """Apply the modules in turn to a tensor or to a pair of streams."""
        if not (self.reversible and self.training and torch.is_grad_enabled()):
            return _in_turn(self, x)
        # Imported late, since leaving it out of compilation imports the compiler: a second.
        from structnets.nn.reversible import run_reversibly

        modules = list(self)
        for recomputed, places in itertools.groupby(range(len(modules)), self._recomputed()):
            group = [modules[i] for i in places]
            run: Any = run_reversibly if recomputed else _in_turn
            x = run(group, x)
        return x

    def _recomputed(self) -> Callable[[int], bool]:
        """Return a test of the places whose blocks store no activations."""
        blocks = [i for i, module in enumerate(self) if isinstance(module, InvertibleBlock)]
        stop = max(len(blocks) - self.stored_last, 0)
        return set(blocks[self.stored_first : stop]).__contains__

    def inverse(self, y: Any) -> Any:
        """Recover the input from the output, exactly up to rounding.

        Raises
        ------
        RuntimeError
            In training mode.
        FloatingPointError
            If the reconstruction is not finite; the module where that starts is named.
        """
        x = y
        for module in reversed(self):
            x = module.inverse(x)  # type: ignore[operator]
        if not _is_finite(x):
            self._raise_not_finite(y)
        return x

    def _raise_not_finite(self, y: Any) -> None:
        """Invert once more, module by module, to find where the values stop being finite."""
        if not _is_finite(y):
            raise FloatingPointError("the point to invert itself holds NaN or infinity")
        names = list(self._modules)  # also of modules that occur twice
        x = y
        for name, module in zip(reversed(names), reversed(self), strict=True):
            x = module.inverse(x)  # type: ignore[operator]
            if not _is_finite(x):
                raise FloatingPointError(
                    f"the reconstruction holds NaN or infinity from module {name!r} on (module "
                    f"{names.index(name) + 1} of {len(names)}, inverted from the last): the net "
                    "amplifies rounding too much; try float64, and see its stability report"
                )


def _in_turn(modules: Iterable[Any], x: Any) -> Any:
    for module in modules:
        x = module(x)
    return x


def _is_finite(x: Tensor | Streams) -> bool:
    parts = (x,) if isinstance(x, Tensor) else x
    return all(bool(part.isfinite().all()) for part in parts)
