"""Features of all depths of a network in one pass over the images (thesis Figures 21 and 22).

Each depth's maps are averaged over space and written to a file of their own, so that neither the
images nor the features need fit in memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from structnets.files import read_json, write_json
from structnets.nn.invertible_block import InvertibleBlock

_DONE = "features.json"


def depth_names(model: nn.Module, pattern: str | None = None) -> list[str]:
    """Return the names of a network's depths in order.

    Parameters
    ----------
    model : nn.Module
        Any network.
    pattern : str, optional
        Names of its blocks, with ``*`` for one part between dots: ``units.*`` for our
        ResNets. By default the invertible blocks.

    Raises
    ------
    ValueError
        If no module is meant.
    """
    named = [(name, module) for name, module in model.named_modules() if name]
    if pattern is None:
        names = [name for name, module in named if isinstance(module, InvertibleBlock)]
    else:
        expression = re.compile(r"[^.]*".join(map(re.escape, pattern.split("*"))))
        names = [name for name, _ in named if expression.fullmatch(name)]
    if not names:
        meant = "invertible blocks" if pattern is None else f"modules named {pattern!r}"
        raise ValueError(f"the {type(model).__name__} has no {meant}: give the names of its blocks")
    return names


@dataclass(frozen=True)
class DepthFeatures:
    """Spatially averaged features of every depth, in files.

    Attributes
    ----------
    folder : Path
        Where they lie.
    names : tuple of str
        The depths in order.
    labels : array of int, shape (N,)
        The images' classes.
    """

    folder: Path
    names: tuple[str, ...]
    labels: NDArray[np.int64]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """Return the features of one depth, shape (N, C), read from disk where they are used."""
        return np.load(self.folder / f"{self.names.index(name):04d}.npy", mmap_mode="r")


@torch.no_grad()
def collect_features(
    model: nn.Module,
    names: Sequence[str],
    batches: Iterable[tuple[Tensor, Tensor]],
    images: int,
    folder: str | os.PathLike[str],
) -> DepthFeatures:
    """Run the images through the network once and keep the averaged maps of all depths.

    Parameters
    ----------
    model : nn.Module
        In eval mode.
    names : sequence of str
        Submodules, see `depth_names`; they return maps (B, C, H, W), or two streams of such,
        whose channels are put in a row.
    batches : iterable of (images, labels)
        Images (B, C, H, W) on the model's device, and labels (B,).
    images : int
        Their number in all, known beforehand so that the files have their size.
    folder : path
        Where the features go; a folder of an earlier, interrupted run is overwritten.

    Returns
    -------
    DepthFeatures
        To be opened with `open_features` later.

    Raises
    ------
    ValueError
        If the model is in training mode, the batches hold another number of images, or features
        are not finite.
    """
    if model.training:
        raise ValueError("model must be in eval mode, so that features do not depend on the batch")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _DONE).unlink(missing_ok=True)
    labels = np.empty(images, dtype=np.int64)
    files: dict[str, NDArray[np.float32]] = {}
    start = 0
    with _Averages(model, names) as averages:
        for batch, classes in batches:
            stop = start + len(batch)
            if stop > images:
                raise ValueError(f"batches hold more than the {images} images announced")
            model(batch)
            for i, name in enumerate(names):
                found = averages.taken.pop(name)
                if not np.isfinite(found).all():
                    raise ValueError(
                        f"features of {name} hold NaN or infinity: look at the weights"
                    )
                if name not in files:
                    path = folder / f"{i:04d}.npy"
                    files[name] = _new_file(path, (images, found.shape[1]))
                files[name][start:stop] = found
            labels[start:stop] = classes.cpu().numpy()
            start = stop
    if start != images:
        raise ValueError(f"batches hold {start} images, {images} were announced")
    for file in files.values():
        file.flush()  # type: ignore[attr-defined]
    np.save(folder / "labels.npy", labels)
    write_json(folder / _DONE, {"names": list(names), "images": images})
    return open_features(folder)


def open_features(folder: str | os.PathLike[str]) -> DepthFeatures:
    """Open a folder that `collect_features` has completed.

    Raises
    ------
    FileNotFoundError
        If it was not completed.
    """
    folder = Path(folder)
    if not (folder / _DONE).is_file():
        raise FileNotFoundError(f"{folder} holds no complete features: {_DONE} is absent")
    names = tuple(read_json(folder / _DONE)["names"])
    return DepthFeatures(folder, names, np.load(folder / "labels.npy"))


def _new_file(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


class _Averages:
    """Hooks that keep the spatial averages of the last batch."""

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        self.taken: dict[str, NDArray[np.float32]] = {}
        self._handles: list[Any] = []
        self._modules: Mapping[str, nn.Module] = {n: model.get_submodule(n) for n in names}

    def __enter__(self) -> _Averages:
        for name, module in self._modules.items():
            self._handles.append(module.register_forward_hook(self._hook(name)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _hook(self, name: str) -> Any:
        def keep(module: nn.Module, inputs: object, output: Any) -> None:
            streams = (output,) if isinstance(output, Tensor) else output
            means = [stream.float().mean((2, 3)) for stream in streams]
            self.taken[name] = torch.cat(means, 1).cpu().numpy()

        return keep
