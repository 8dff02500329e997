"""`InvertibleSequential`: a chain of invertible modules, and its inverse."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn._modes import is_traced, is_transformed
from structnets.nn._scripting import scripted_form
from structnets.nn.invertible_block import InvertibleBlock, is_recomputable, pair_of
from structnets.nn.streams import Streams


class InvertibleSequential(nn.Sequential):
    """Modules in turn, each with an ``inverse``; slices invert parts of the chain.

    In training mode, chains of `InvertibleBlock` store no activations (see
    `structnets.nn._reversible`), apart from those of the first and the last few blocks. Whatever a
    residual function counts, draws or remembers in its modules is as if it had run once.

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
        them. One costs little memory at the peak: it would be evaluated again at once. Each further
        one saves the time of evaluating its F a second time and costs the memory of its
        activations, whatever the depth. Of several chains in a row give all but the last 0.
    stored_narrow : int
        Of so many blocks before those the outputs of convolutions are stored that have at most a
        quarter of a stream's numbers, as the first two of a bottleneck's: a fraction of what
        storing a block takes, for most of the time it saves. They are not computed again.

    Limits
    ------
    Reversible training has first derivatives only; a second one, a residual function that reads a
    tensor wanting a gradient which is no attribute of its modules, or that was compiled by
    TorchScript, weights changed between forward and backward pass, ``torch.vmap`` of a backward
    pass, and ``torch.compile(fullgraph=True)`` in training mode are refused, and want
    ``reversible=False``. Recovered inputs are rounded once a block: in float32 that is 1e-6 of a
    gradient after 18 blocks of a convolution, batch norm and ReLU, but 6 % in float16 and bfloat16;
    train in half precision by autocast, which leaves the streams in float32. Blocks with hooks or
    with methods of their own, empty batches, functional transforms (vmap, grad, jvp) and exports
    run as plain autograd, which stores activations. Hooks *inside* a residual function run twice.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import *
    >>> chain = InvertibleSequential(
    ...     SplitChannels(), InvertibleBlock(Bottleneck(4, 4)), InvertibleBlock(Bottleneck(4, 4)),
    ...     MergeStreams(),
    ... )
    >>> x = torch.randn(2, 8, 16, 16)
    >>> chain(x).square().mean().backward()
    >>> chain = chain.eval()
    >>> torch.allclose(chain.inverse(chain(x)), x, atol=1e-5)
    True
    """

    def __init__(
        self,
        *modules: Any,
        reversible: bool = True,
        stored_first: int = 0,
        stored_last: int = 1,
        stored_narrow: int = 0,
    ) -> None:
        super().__init__(*modules)
        stored = {
            "stored_first": stored_first,
            "stored_last": stored_last,
            "stored_narrow": stored_narrow,
        }
        for name, value in stored.items():
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
        self.stored_narrow = stored_narrow

    def __getitem__(self, index: slice | int) -> Any:
        """Return a module, or a part of the chain that stores the blocks the whole chain does."""
        if not isinstance(index, slice):
            return super().__getitem__(index)
        names = list(self._modules)
        kept = range(len(names))[index]
        blocks = self._blocks()
        first, narrow = blocks[: self.stored_first], self._narrow()
        ends = bool(blocks) and blocks[-1] in kept
        part = copy.copy(self)
        part._modules = {names[i]: self._modules[names[i]] for i in kept}  # type: ignore[assignment]
        part.stored_first = sum(i in kept for i in first)
        part.stored_last = self.stored_last if ends else min(self.stored_last, 1)
        part.stored_narrow = sum(i in kept for i in narrow)
        return part

    def forward(self, x: Any, *condition: Any) -> Any:
        """Apply the modules in turn to a tensor or to a pair of streams.

        Further arguments are handed to the residual function of every block, also of blocks in
        chains within this one and of blocks that `torch.compile` wraps.

        Raises
        ------
        TypeError
            If further arguments are given and no block takes them.
        """
        _check_taken(self, condition)
        if not self._saves_memory(x):
            return _in_turn(self, x, condition)
        # Imported late, since leaving it out of compilation imports the compiler: a second.
        from structnets.nn._reversible import run_reversibly

        modules, narrow = list(self), self._narrow()
        for recomputed, group in itertools.groupby(range(len(modules)), self._recomputed()):
            places = list(group)
            blocks: Any = [modules[i] for i in places]
            if recomputed:
                keeping = sum(i in narrow for i in places)
                x = run_reversibly(blocks, pair_of(x), condition, keeping)
            else:
                x = _in_turn(blocks, x, condition)
        return x

    def _saves_memory(self, x: Any) -> bool:
        """Say whether activations are to be recomputed, and can be."""
        if not (self.reversible and self.training and torch.is_grad_enabled()):
            return False
        if is_transformed() or torch.compiler.is_exporting():
            return False
        parts = (x,) if isinstance(x, Tensor) else x
        tracing = torch.jit.is_tracing()  # type: ignore[attr-defined]
        return not tracing and all(isinstance(p, Tensor) and p.numel() for p in parts)

    def _recomputed(self) -> Callable[[int], bool]:
        """Return a test of the places whose blocks store no activations."""
        modules = list(self)
        return {i for i in self._between() if is_recomputable(modules[i])}.__contains__

    def _blocks(self) -> list[int]:
        """Return the places of the blocks."""
        return [i for i, module in enumerate(self) if isinstance(module, InvertibleBlock)]

    def _between(self) -> list[int]:
        """Return the places of the blocks that are not stored whole."""
        blocks = self._blocks()
        return blocks[self.stored_first : max(len(blocks) - self.stored_last, 0)]

    def _narrow(self) -> list[int]:
        """Return the places of the blocks whose narrow outputs are stored."""
        between = self._between()
        return between[max(len(between) - self.stored_narrow, 0) :]

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def with_log_determinant(self, x: Any, *condition: Any) -> tuple[Any, Tensor]:
        """Return the output, and ``log |det J|`` of every sample as a tensor (B,).

        Every module is asked for ``log_determinant(input)``; those of this package have it.

        Raises
        ------
        TypeError
            If a module does not have it, or as in `forward`.
        ValueError
            If a module is no bijection (`InjectivePad`).
        """
        _check_taken(self, condition)
        one = x if isinstance(x, Tensor) else x[0]
        total = one.new_zeros(len(one))
        for name, module in self.named_children_in_turn():
            own: Any = getattr(module, "log_determinant", None)
            if own is None:
                raise TypeError(
                    f"module {name} ({type(module).__name__}) has no log_determinant method"
                )
            total = total + own(x)
            x = _in_turn([module], x, condition)
        return x, total

    def named_children_in_turn(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield names and modules in order, modules that occur twice too."""
        return ((name, module) for name, module in self._modules.items() if module is not None)

    def inverse(self, y: Any, *condition: Any) -> Any:
        """Recover the input from the output, exactly up to rounding.

        Raises
        ------
        RuntimeError
            In training mode.
        TypeError
            As in `forward`.
        FloatingPointError
            If the reconstruction is not finite; the module where that starts is named.
        """
        _check_taken(self, condition)
        x = y
        for module in reversed(self):
            x = _inverse(module, x, condition)
        if not is_traced() and not is_transformed() and not _is_finite(x):
            self._raise_not_finite(y, condition)
        return x

    def _raise_not_finite(self, y: Any, condition: Sequence[Any]) -> None:
        """Invert once more, module by module, to find where the values stop being finite."""
        if not _is_finite(y):
            raise FloatingPointError("the point to invert itself holds NaN or infinity")
        names = list(self._modules)  # also of modules that occur twice
        x = y
        for name, module in zip(reversed(names), reversed(self), strict=True):
            x = _inverse(module, x, condition)
            if not _is_finite(x):
                raise FloatingPointError(
                    f"the reconstruction holds NaN or infinity from module {name!r} on (module "
                    f"{names.index(name) + 1} of {len(names)}, inverted from the last): the net "
                    "amplifies rounding too much; try float64, and see its stability report"
                )


def _takes_condition(module: Any) -> bool:
    """Say whether a module hands further arguments to a residual function."""
    module = module._modules.get("_orig_mod", module)  # what torch.compile wraps
    if isinstance(module, InvertibleSequential):
        return any(map(_takes_condition, module))
    return isinstance(module, InvertibleBlock)


def _check_taken(chain: InvertibleSequential, condition: Sequence[Any]) -> None:
    """Refuse further arguments that would be dropped."""
    if condition and not _takes_condition(chain):
        raise TypeError(
            "further arguments are for the residual functions of InvertibleBlocks, of which this "
            f"chain has none, and {len(condition)} would be dropped: call it without them"
        )


def _in_turn(modules: Iterable[Any], x: Any, condition: Sequence[Any]) -> Any:
    for module in modules:
        x = module(x, *(condition if _takes_condition(module) else ()))
    return x


def _inverse(module: Any, x: Any, condition: Sequence[Any]) -> Any:
    return module.inverse(x, *(condition if _takes_condition(module) else ()))


def _is_finite(x: Tensor | Streams) -> bool:
    parts = (x,) if isinstance(x, Tensor) else x
    return all(part.is_meta or bool(part.isfinite().all()) for part in parts)
