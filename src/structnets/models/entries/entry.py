"""`ModelEntry`: what is known of a model before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from structnets.entries import Entry


@dataclass(frozen=True)
class ModelEntry(Entry):
    """One model: where it is built, and what the thesis prints of it.

    Attributes
    ----------
    constructor : str
        A function or class, as ``package.module:object``.
    note : str
        Which table or figure, and which reading of it.
    chapter : int, optional
        Of the thesis; None for a model that is not of it.
    input_shape : tuple of int
        (C, H, W), or (C, D, H, W) for volumes, of the input it was made for.
    thesis_params : str, optional
        The number of parameters as the thesis prints it.
    options : tuple of pairs
        Arguments of the constructor that this name stands for.
    maps : bool
        Whether it answers at every pixel: its ``num_classes`` are maps of logits, one by default,
        and no classes of a data set.
    """

    chapter: int | None = None
    input_shape: tuple[int, ...] = (3, 32, 32)
    thesis_params: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    maps: bool = False
