"""The two streams of an i-RevNet: how an image becomes them, and how they become one again."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

Streams = tuple[Tensor, Tensor]


class LeftInverseWarning(UserWarning):
    """The point to invert lies outside the range of an injective map."""


class InjectivePad(nn.Module):
    """Append zero channels (the injective S of thesis section 6.3.2), making streams wider.

    Parameters
    ----------
    extra : int
        Number of channels appended.
    tolerance : float
        Share of a point's norm that the appended channels may hold before `inverse` warns.
    """

    def __init__(self, extra: int, tolerance: float = 1e-2) -> None:
        super().__init__()
        if extra < 0:
            raise ValueError(f"extra must be >= 0, got {extra}")
        self.extra, self.tolerance = extra, tolerance

    def forward(self, x: Tensor) -> Tensor:
        """Pad maps (B, C, H, W) to (B, C + extra, H, W)."""
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.extra))

    def inverse(self, y: Tensor) -> Tensor:
        """Drop the appended channels: a left inverse, exact on the range of `forward` only.

        Parameters
        ----------
        y : Tensor, shape (B, C + extra, H, W)
            Padded maps.

        Returns
        -------
        Tensor, shape (B, C, H, W)
            The first C channels.

        Warns
        -----
        LeftInverseWarning
            If the dropped channels are not zero, so that no input maps to `y`.
        """
        kept = y.shape[1] - self.extra
        if kept < 1:
            raise ValueError(f"more than {self.extra} channels are needed, got {y.shape[1]}")
        image, dropped = y[:, :kept], y[:, kept:]
        if self.extra:
            norm = torch.linalg.vector_norm
            share = float(norm(dropped.detach()) / norm(y.detach()))
            if share > self.tolerance:
                warnings.warn(
                    f"the point lies outside the range of this injective net ({share:.2g} of its "
                    "norm is in the padded channels): this is the left inverse, whose image under "
                    "the net differs from the point",
                    LeftInverseWarning,
                    stacklevel=2,
                )
        return image

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return f"extra={self.extra}"


class SplitChannels(nn.Module):
    """Split maps into two streams of equal channels, first half first."""

    def forward(self, x: Tensor) -> Streams:
        """Split (B, 2 C, H, W) into two of (B, C, H, W).

        Raises
        ------
        ValueError
            If the number of channels is odd.
        """
        if x.shape[1] % 2:
            raise ValueError(
                f"{x.shape[1]} channels do not split into two equal streams: pad them "
                "(InjectivePad) or down-sample first (SpaceToDepth)"
            )
        first, second = x.chunk(2, 1)
        return first, second

    def inverse(self, streams: Streams) -> Tensor:
        """Concatenate the streams along their channels."""
        return torch.cat(streams, 1)


class MergeStreams(nn.Module):
    """Concatenate two streams along their channels; the inverse of `SplitChannels`."""

    def forward(self, streams: Streams) -> Tensor:
        """Merge two of (B, C, H, W) to (B, 2 C, H, W)."""
        return torch.cat(streams, 1)

    def inverse(self, y: Tensor) -> Streams:
        """Split merged maps again."""
        first, second = y.chunk(2, 1)
        return first, second
