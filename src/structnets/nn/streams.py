"""The two streams of an i-RevNet: how an image becomes them, and how they become one again."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from structnets.nn._modes import needs_plain_operations
from structnets.nn._scripting import scripted_form

Streams = tuple[Tensor, Tensor]


class LeftInverseWarning(UserWarning):
    """The point to invert lies outside the range of an injective map.

    Examples
    --------
    >>> import torch, warnings
    >>> from structnets.nn import InjectivePad, LeftInverseWarning
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     image = InjectivePad(1).inverse(torch.ones(1, 4, 2, 2))
    >>> told[0].category is LeftInverseWarning
    True
    """


class InjectivePad(nn.Module):
    """Append zero channels (the injective S of thesis section 6.3.2), making streams wider.

    Parameters
    ----------
    extra : int
        Number of channels appended.
    tolerance : float
        Share of a point's norm that the appended channels may hold before `inverse` warns.
    dim : int, optional
        The axis of the channels, see `SplitChannels`.

    Limits
    ------
    No bijection: it has a left inverse, and no log-determinant.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import InjectivePad
    >>> InjectivePad(13)(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 16, 8, 8])
    """

    def __init__(self, extra: int, tolerance: float = 1e-2, dim: int | None = None) -> None:
        super().__init__()
        if extra < 0:
            raise ValueError(f"extra must be >= 0, got {extra}")
        self.extra, self.tolerance, self.dim = extra, tolerance, dim

    def forward(self, x: Tensor) -> Tensor:
        """Pad maps (B, C, H, W) to (B, C + extra, H, W)."""
        dim = channel_axis(x, self.dim)
        return nn.functional.pad(x, [0, 0] * (x.ndim - dim - 1) + [0, self.extra])

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
        dim = channel_axis(y, self.dim)
        kept = y.shape[dim] - self.extra
        if kept < 1:
            raise ValueError(f"more than {self.extra} channels are needed, got {y.shape[dim]}")
        image, dropped = y.narrow(dim, 0, kept), y.narrow(dim, kept, self.extra)
        if self.extra and not (needs_plain_operations(y) or y.is_meta):
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

    def log_determinant(self, x: Tensor) -> Tensor:
        """Refuse: appended channels make the map no bijection.

        Raises
        ------
        ValueError
            Always, unless nothing is appended.
        """
        if self.extra:
            raise ValueError(
                f"InjectivePad({self.extra}) is no bijection and has no log-determinant: use a net "
                "without appended channels"
            )
        return x.new_zeros(len(x))

    def __prepare_scriptable__(self) -> nn.Module:
        """Refuse ``torch.jit.script``."""
        return scripted_form(self)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return f"extra={self.extra}"


class SplitChannels(nn.Module):
    """Split maps into two streams of equal channels, first half first.

    Parameters
    ----------
    dim : int, optional
        The axis of the channels: 1 by default, which must be given for tensors of three axes,
        (B, C, L) and (B, T, C) being equally usual.

    Limits
    ------
    An odd number of channels is refused.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import SplitChannels
    >>> [stream.shape for stream in SplitChannels(dim=-1)(torch.zeros(2, 7, 6))]
    [torch.Size([2, 7, 3]), torch.Size([2, 7, 3])]
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Streams:
        """Split (B, 2 C, H, W) into two of (B, C, H, W).

        Raises
        ------
        ValueError
            If the number of channels is odd, or their axis is not known.
        """
        dim = channel_axis(x, self.dim)
        if x.shape[dim] % 2:
            raise ValueError(
                f"{x.shape[dim]} channels do not split into two equal streams: pad them "
                "(InjectivePad) or down-sample first (SpaceToDepth)"
            )
        first, second = x.chunk(2, dim)
        return first, second

    def inverse(self, streams: Streams) -> Tensor:
        """Concatenate the streams along their channels."""
        return torch.cat(streams, channel_axis(streams[0], self.dim))

    def log_determinant(self, x: Tensor) -> Tensor:
        """Return ``log |det J|`` of every sample, (B,): zero."""
        return x.new_zeros(len(x))


class MergeStreams(nn.Module):
    """Concatenate two streams along their channels; the inverse of `SplitChannels`.

    Parameters
    ----------
    dim : int, optional
        As in `SplitChannels`.

    Limits
    ------
    As `SplitChannels`.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import MergeStreams
    >>> MergeStreams()((torch.zeros(2, 3, 8, 8), torch.ones(2, 3, 8, 8))).shape
    torch.Size([2, 6, 8, 8])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, streams: Streams) -> Tensor:
        """Merge two of (B, C, H, W) to (B, 2 C, H, W)."""
        return torch.cat(streams, channel_axis(streams[0], self.dim))

    def inverse(self, y: Tensor) -> Streams:
        """Split merged maps again."""
        first, second = y.chunk(2, channel_axis(y, self.dim))
        return first, second

    def log_determinant(self, streams: Streams) -> Tensor:
        """Return ``log |det J|`` of every sample, (B,): zero."""
        return streams[0].new_zeros(len(streams[0]))


def channel_axis(x: Tensor, dim: int | None) -> int:
    """Return the axis of the channels, counted from the first.

    Raises
    ------
    ValueError
        If it is not given for a tensor of three axes, or the tensor does not have it.
    """
    if dim is None:
        if x.ndim == 3:
            raise ValueError(
                f"a tensor of shape {tuple(x.shape)} has its channels along axis 1, (B, C, L), or "
                "along the last, (B, T, C): say which by dim=1 or dim=-1"
            )
        dim = 1
    if not -x.ndim <= dim < x.ndim or dim % x.ndim == 0:
        raise ValueError(
            f"dim must be an axis behind the first of a tensor of shape {tuple(x.shape)}, got {dim}"
        )
    return dim % x.ndim
