"""`SpaceToDepth`: the invertible down-sampling S of the i-RevNet (thesis Figure 17)."""

from __future__ import annotations

from torch import Tensor, nn


class SpaceToDepth(nn.Module):
    """Move each b x b square of pixels into channels; a permutation, hence orthogonal.

    Output channel ``(dy b + dx) C + c`` holds input channel c at offset (dy, dx) of every square:
    offsets vary slowest, as in the authors' code.

    Parameters
    ----------
    size : int
        Side b of the squares, in pixels; 1 changes nothing.

    Limits
    ------
    Both sides of the maps must be multiples of b.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import SpaceToDepth
    >>> SpaceToDepth(2)(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 12, 4, 4])
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"size must be >= 1, got {size}")
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Down-sample.

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
            Maps; H and W are multiples of `size`.

        Returns
        -------
        Tensor, shape (B, b b C, H / b, W / b)
            `x` itself if b is 1.

        Raises
        ------
        ValueError
            If `size` does not divide a side.
        """
        b = self.size
        if b == 1:
            return x
        batch, channels, height, width = x.shape
        if height % b or width % b:
            raise ValueError(
                f"down-sampling by {b} needs maps whose sides are multiples of {b}, got "
                f"{height} x {width}: pad or resize the images"
            )
        squares = x.reshape(batch, channels, height // b, b, width // b, b)
        moved = squares.permute(0, 3, 5, 1, 2, 4)
        return moved.reshape(batch, b * b * channels, height // b, width // b)

    def inverse(self, y: Tensor) -> Tensor:
        """Move channels (B, b b C, H, W) back to pixels (B, C, b H, b W): inverse and adjoint.

        Raises
        ------
        ValueError
            If the channels are no multiple of b b.
        """
        b = self.size
        if b == 1:
            return y
        batch, channels, height, width = y.shape
        if channels % (b * b):
            raise ValueError(
                f"undoing a down-sampling by {b} needs a multiple of {b * b} channels, got "
                f"{channels}"
            )
        squares = y.reshape(batch, b, b, channels // (b * b), height, width)
        moved = squares.permute(0, 3, 4, 1, 5, 2)
        return moved.reshape(batch, channels // (b * b), height * b, width * b)

    def log_determinant(self, x: Tensor) -> Tensor:
        """Return ``log |det J|`` of every sample, (B,): zero, since values are only moved."""
        return x.new_zeros(len(x))

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return str(self.size)
