"""`InvertibleBlock`: the coupling of two streams that an i-RevNet repeats (thesis Eq. 39)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn.space_to_depth import SpaceToDepth
from structnets.nn.streams import Streams


class InvertibleBlock(nn.Module):
    """Couple two streams: ``x' = S x~`` and ``x~' = S x + F(x~)``, for any F.

    The inverse is ``x~ = S^-1 x'`` and ``x = S^-1 (x~' - F(x~))``; F itself need not be
    invertible. The thesis prints S on the first line only; both streams need it for their shapes
    to agree, and the authors' code has it on both.

    Parameters
    ----------
    residual : nn.Module
        F. Maps a stream (B, C, H, W) to the shape of a down-sampled stream
        (B, b b C, H / b, W / b).
    downsample : int
        Side b of the squares that S moves into channels; 1 for no down-sampling, and then streams
        may have any shape that F keeps, (B, T, C) for one.

    Limits
    ------
    ``inverse`` needs eval mode. What F does outside of its modules (a counter in a global
    variable, a hook that collects activations) it does twice under reversible training.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import Bottleneck, InvertibleBlock
    >>> block = InvertibleBlock(Bottleneck(4, 4)).eval()
    >>> streams = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    >>> x, x_tilde = block.inverse(block(streams))
    >>> torch.allclose(x, streams[0], atol=1e-5)
    True
    """

    def __init__(self, residual: nn.Module, downsample: int = 1) -> None:
        super().__init__()
        if not isinstance(residual, nn.Module):
            raise TypeError(
                f"residual must be an nn.Module, so that its parameters are found; got {residual!r}"
            )
        self.residual = residual
        self.rearrange = SpaceToDepth(downsample)

    def forward(self, streams: Streams, *condition: Any) -> Streams:
        """Apply the block to a pair of maps (B, C, H, W).

        Further arguments are handed to F: ``F(x~, *condition)``.
        """
        x, x_tilde = pair_of(streams)
        residual = self.checked_residual(x_tilde, *condition)
        return self.rearrange(x_tilde), self.add(x, residual)

    def log_determinant(self, streams: Streams) -> Tensor:
        """Return ``log |det J|`` of every sample, (B,): zero, since a coupling keeps volumes."""
        x, _ = pair_of(streams)
        return x.new_zeros(len(x))

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return ``S x + F(x~)``, given F's value."""
        shortcut = self.rearrange(x)
        self._check_shape(residual, shortcut)
        return shortcut + residual

    def inverse(self, streams: Streams, *condition: Any) -> Streams:
        """Recover the input pair from the output pair, exactly up to rounding.

        Raises
        ------
        RuntimeError
            In training mode, where F depends on the batch and on dropout.
        """
        if self.training:
            raise RuntimeError(
                "inverse() needs eval mode: in training mode batch norm depends on the batch and "
                "changes its statistics, and dropout draws a new mask; call eval() first"
            )
        y, y_tilde = pair_of(streams)
        x_tilde = self.rearrange.inverse(y)
        residual = self.checked_residual(x_tilde, *condition)
        self._check_shape(residual, y_tilde)
        return self.rearrange.inverse(y_tilde - residual), x_tilde

    def checked_residual(self, x_tilde: Tensor, *condition: Any) -> Tensor:
        """Evaluate F without letting it change its input, which the block hands on.

        Raises
        ------
        RuntimeError
            If F writes into its input by a functional in-place operation.
        """
        return self.guarded_residual()(x_tilde, *condition)

    def guarded_residual(self) -> Callable[..., Tensor]:
        """Return what `checked_residual` calls, for whoever calls it more than once."""
        # An in-place ReLU that comes first in F would overwrite the stream: give it a copy.
        if any(getattr(module, "inplace", False) for module in self.residual.modules()):
            return self._copied_residual
        return self._watched_residual

    def _copied_residual(self, x_tilde: Tensor, *condition: Any) -> Tensor:
        return self.residual(x_tilde.clone(), *condition)

    def _watched_residual(self, x_tilde: Tensor, *condition: Any) -> Tensor:
        if torch.compiler.is_compiling():
            return self.residual(x_tilde, *condition)
        before = writes(x_tilde)
        residual = self.residual(x_tilde, *condition)
        if writes(x_tilde) != before:
            raise RuntimeError(
                f"{type(self.residual).__name__}, the residual function F of this block, wrote "
                "into its input: work on a copy (x = x.clone()) or use the operation that is not "
                "in place"
            )
        return residual

    def _check_shape(self, residual: Tensor, stream: Tensor) -> None:
        if residual.shape != stream.shape:
            raise ValueError(
                f"the residual function F must return the shape of the stream it is added to, "
                f"{tuple(stream.shape)}; got {tuple(residual.shape)} (down-sampling by "
                f"{self.rearrange.size})"
            )


def pair_of(streams: Any) -> Streams:
    """Return two streams; a single tensor is refused, also where its batch is two.

    Raises
    ------
    TypeError
        If it is not a pair.
    """
    if isinstance(streams, Tensor) or not isinstance(streams, (tuple, list)) or len(streams) != 2:
        shape = f" of shape {tuple(streams.shape)}" if isinstance(streams, Tensor) else ""
        raise TypeError(
            f"an InvertibleBlock takes a pair of streams, got {type(streams).__name__}{shape}: "
            "split the maps first (SplitChannels, or x.chunk(2, dim))"
        )
    return streams[0], streams[1]


def is_recomputable(module: nn.Module) -> bool:
    """Say whether a module is a block whose activations can be recovered from its output.

    A subclass with another forward or inverse, and a block with hooks, must be called as it is.
    """
    if not isinstance(module, InvertibleBlock) or "forward" in vars(module):
        return False
    own = all(
        getattr(type(module), name) is getattr(InvertibleBlock, name)
        for name in ("forward", "inverse", "add", "checked_residual", "guarded_residual")
    )
    hooks = (
        *(module._forward_hooks, module._forward_pre_hooks),
        *(module._backward_hooks, module._backward_pre_hooks),
    )
    return own and type(module.rearrange) is SpaceToDepth and not any(hooks)


def writes(x: Tensor) -> int:
    """Return autograd's count of in-place writes; tensors of inference mode have none."""
    return 0 if x.is_inference() else x._version
