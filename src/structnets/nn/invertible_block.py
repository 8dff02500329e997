"""`InvertibleBlock`: the coupling of two streams that an i-RevNet repeats (thesis Eq. 39)."""

from __future__ import annotations

from collections.abc import Callable

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
        Side b of the squares that S moves into channels; 1 for no down-sampling.
    """

    def __init__(self, residual: nn.Module, downsample: int = 1) -> None:
        super().__init__()
        if not isinstance(residual, nn.Module):
            raise TypeError(
                f"residual must be an nn.Module, so that its parameters are found; got {residual!r}"
            )
        self.residual = residual
        self.rearrange = SpaceToDepth(downsample)

    def forward(self, streams: Streams) -> Streams:
        """Apply the block to a pair of maps (B, C, H, W)."""
        x, x_tilde = streams
        residual = self.checked_residual(x_tilde)
        return self.rearrange(x_tilde), self.add(x, residual)

    def add(self, x: Tensor, residual: Tensor) -> Tensor:
        """Return ``S x + F(x~)``, given F's value."""
        shortcut = self.rearrange(x)
        self._check_shape(residual, shortcut)
        return shortcut + residual

    def inverse(self, streams: Streams) -> Streams:
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
        y, y_tilde = streams
        x_tilde = self.rearrange.inverse(y)
        residual = self.checked_residual(x_tilde)
        self._check_shape(residual, y_tilde)
        return self.rearrange.inverse(y_tilde - residual), x_tilde

    def checked_residual(self, x_tilde: Tensor) -> Tensor:
        """Evaluate F without letting it change its input, which the block hands on.

        Raises
        ------
        RuntimeError
            If F writes into its input by a functional in-place operation.
        """
        return self.guarded_residual()(x_tilde)

    def guarded_residual(self) -> Callable[[Tensor], Tensor]:
        """Return what `checked_residual` calls, for whoever calls it more than once."""
        # An in-place ReLU that comes first in F would overwrite the stream: give it a copy.
        if any(getattr(module, "inplace", False) for module in self.residual.modules()):
            return self._copied_residual
        return self._watched_residual

    def _copied_residual(self, x_tilde: Tensor) -> Tensor:
        return self.residual(x_tilde.clone())

    def _watched_residual(self, x_tilde: Tensor) -> Tensor:
        before = _writes(x_tilde)
        residual = self.residual(x_tilde)
        if _writes(x_tilde) != before:
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


def _writes(x: Tensor) -> int:
    """Return autograd's count of in-place writes; tensors of inference mode have none."""
    return 0 if x.is_inference() else x._version
