"""The arguments of ``nn.Conv2d`` and ``nn.Conv3d``, read for the structured layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, Literal, get_args

from torch import Tensor

Pair = tuple[int, int]
Triple = tuple[int, int, int]
Padding = int | Pair | str
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]


def per_axis(name: str, value: int | Sequence[int], dims: int, least: int = 1) -> tuple[int, ...]:
    """Return a number per axis, from one number or one per axis.

    Raises
    ------
    ValueError
        Naming the argument, where it has another length or is less than `least`.
    """
    try:
        values = tuple(
            index(n) for n in (value if isinstance(value, Iterable) else (value,) * dims)
        )
    except TypeError:
        values = ()
    if len(values) != dims or min(values) < least:
        raise ValueError(f"{name} must be an integer >= {least}, or {dims} of them; got {value!r}")
    return values


def padding_per_axis(
    padding: int | Sequence[int] | str, sizes: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...]:
    """Return zero padding per axis: ``same``, ``valid``, ``full``, or numbers."""
    reach = [d * (size - 1) for size, d in zip(sizes, dilation, strict=True)]
    named = {"same": tuple(n // 2 for n in reach), "valid": (0,) * len(reach), "full": tuple(reach)}
    if isinstance(padding, str):
        if padding not in named:
            raise ValueError(
                f"padding must be a number, a pair or one of {', '.join(named)}; got {padding!r}"
                if len(reach) == 2
                else f"padding must be a number, {len(reach)} of them or one of "
                f"{', '.join(named)}; got {padding!r}"
            )
        return named[padding]
    return per_axis("padding", padding, len(reach), 0)


def check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse channels that are not positive, or that the groups do not divide."""
    for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        if groups < 1 or value % groups:
            raise ValueError(f"groups must divide {name} = {value}, got {groups}")


def check_padding_mode(mode: str, padding: Sequence[int]) -> list[int]:
    """Return the margins that ``functional.pad`` takes; refuse unknown modes."""
    if mode not in get_args(PaddingMode):
        allowed = ", ".join(get_args(PaddingMode))
        raise ValueError(f"padding_mode must be one of {allowed}; got {mode!r}")
    return [n for p in reversed(padding) for n in (p, p)]


def refuse_positions(layer: str, plain: str, given: Sequence[Any]) -> None:
    """Refuse arguments by position, of which ``nn.Conv2d`` takes more than a structured layer."""
    if given:
        raise TypeError(
            f"{layer} takes in_channels and out_channels by position and all else by name; got "
            f"{', '.join(map(repr, given))} besides. The third position of {plain} is kernel_size; "
            f"here write kernel_size={given[0]!r}, stride=..., padding=..., and order=..., "
            "sigmas=... for the basis"
        )


def batched(x: Tensor, in_channels: int, axes: str) -> tuple[Tensor, bool]:
    """Return maps with a batch axis, and whether one had to be added.

    Raises
    ------
    ValueError
        If the maps have another number of axes or of channels.
    """
    dims = axes.count(",") + 1
    single = x.ndim == dims + 1
    if (x.ndim != dims + 2 and not single) or x.shape[-dims - 1] != in_channels:
        raise ValueError(
            f"input must have shape (B, {in_channels}, {axes}), got {tuple(x.shape)}; B may be "
            "left out"
        )
    return (x[None], True) if single else (x, False)
