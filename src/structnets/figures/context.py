"""What the maker of a figure is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from structnets.analysis.trained import Trained
from structnets.files import atomic_path, read_json, write_json


@dataclass(frozen=True)
class Measured:
    """A number that an analysis found.

    Attributes
    ----------
    name : str
        Parts joined by dots, ``irevnet.noise.float32.mean``.
    value : float
        The number.
    n : int
        Of how many images (filters, steps …) it is.
    """

    name: str
    value: float
    n: int


@dataclass(frozen=True)
class Context:
    """What a figure of trained networks is made from.

    Attributes
    ----------
    runs : list of Trained
        In the order of the analysis file.
    stem : Path
        Where ``.svg``, ``.png`` and ``.csv`` go.
    work : Path
        Folder of what an interrupted analysis keeps.
    title, note : str
        Words on the figure.
    data_root : Path or None
        Where the original data sets lie.
    device : torch.device
        Where to compute.
    """

    runs: list[Trained]
    stem: Path
    work: Path
    title: str
    note: str
    data_root: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def arrays_once(
        self, name: str, compute: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return the arrays that `compute` returned, also if an earlier attempt called it."""
        path = self.work / f"{name}.npz"
        if not path.exists():
            arrays = compute()
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)

    def once(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return what `compute` returned, plain JSON, also if an earlier attempt called it."""
        path = self.work / f"{name}.json"
        if not path.exists():
            write_json(path, compute())
        return read_json(path)
