"""`Entry`: what is known of a model before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One model: where it is built, and what the thesis prints of it.

    Attributes
    ----------
    constructor : str
        As ``module:name``, a function or class of `structnets.models`.
    chapter : int
        Of the thesis.
    input_shape : tuple of int
        (C, H, W), or (C, D, H, W) for volumes, of the input it was made for.
    thesis_params : str, optional
        The number of parameters as the thesis prints it.
    note : str
        Which table or figure, and which reading of it.
    options : tuple of pairs
        Arguments of the constructor that this name stands for.
    """

    constructor: str
    chapter: int
    input_shape: tuple[int, ...] = (3, 32, 32)
    thesis_params: str | None = None
    note: str = ""
    options: tuple[tuple[str, Any], ...] = ()
