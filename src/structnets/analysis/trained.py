"""Trained networks with their data: what is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples
from structnets.data.batches.subset import train_indices
from structnets.data.prepared.manifest import load_manifest
from structnets.entries import refuse_foreign
from structnets.files import read_json
from structnets.forms.shards.source import ShardedImages
from structnets.forms.tasks import open_examples
from structnets.identity import data_variant, prepared_name, run_id, science
from structnets.models.irevnet import IRevNet
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.spec import validate
from structnets.training.run import build_model
from structnets.training.tensor_files import read_model

Picture = np.ndarray
_READ = 1000  # images read together for their labels


@dataclass(frozen=True)
class Trained:
    """A trained network in evaluation mode, and the data it was trained on.

    Attributes
    ----------
    key, label : str
        Short name, and the one shown.
    run_id : str
        The run.
    spec, manifest : dict
        Of the run, and of its prepared data.
    folder, prepared : Path
        Of the run's artifacts, and of the prepared data.
    model : nn.Module
        On the device of the analysis.
    device : torch.device
        Of the model.
    """

    key: str
    label: str
    run_id: str
    spec: ResolvedSpec
    manifest: dict[str, Any]
    folder: Path
    prepared: Path
    model: nn.Module
    device: torch.device

    @cached_property
    def splits(self) -> dict[str, Examples]:
        """The images of the spec: ``train``, ``test``, and ``validation`` if some are held out."""
        return open_examples(self.spec, self.prepared, self.manifest)

    @property
    def data(self) -> str:
        """Prepared data set and variant, ``cifar10_jpeg-n5000``."""
        return f"{prepared_name(self.spec['data'])}-{data_variant(self.spec)}"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(C, H, W) of what the network sees, a crop where its recipe crops."""
        channels, *sides = self.manifest["image_shape"]
        crop = self.spec["recipe"].get("crop")
        return (channels, *(sides if crop is None else [crop["size"]] * 2))

    def choose(self, split: str, count: int, seed: int = 0) -> np.ndarray:
        """Draw at most `count` images of a split; their positions in it, in random order."""
        images = self.splits[split]
        return train_indices(len(images), min(count, len(images)), seed)

    def batches(
        self, split: str, positions: np.ndarray, batch_size: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield chosen images of a split as the network takes them, with their labels."""
        for start in range(0, len(positions), batch_size):
            yield self.splits[split].batch(positions[start : start + batch_size], self.device)

    def labels(self, split: str, positions: np.ndarray) -> np.ndarray:
        """Return the classes of chosen images, shape (N,)."""
        images = self.splits[split]
        if isinstance(images, ShardedImages):  # known without decoding a picture
            return np.asarray(images.split.labels[images.rows[positions]], dtype=np.int64)
        found = [labels.cpu() for _, labels in self.batches(split, positions, _READ)]
        return torch.cat(found).numpy()

    def picture(self, split: str, position: int) -> Picture:
        """Return an image as it is shown: (H, W, 3) or (H, W), in [0, 1]."""
        images, _ = self.splits[split].batch(np.array([position]), self.device)
        shown = self.leave(images)[0].clamp(0, 1).permute(1, 2, 0)
        return shown.double().cpu().numpy().squeeze()

    def enter(self, pixels: Tensor) -> Tensor:
        """Turn images (N, C, H, W) in [0, 1] into what the network takes."""
        mean, std = self._statistics(pixels)
        return (pixels - mean) / std

    def leave(self, x: Tensor) -> Tensor:
        """Turn what the network takes into images in [0, 1], the inverse of `enter`."""
        mean, std = self._statistics(x)
        return x * std + mean

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.spec["recipe"].get("mean_image"):
            raise ValueError(
                f"{self.run_id} sees images less the part of a mean image that lies under their "
                "crop: they cannot be made from pictures, nor back"
            )
        if not self.spec["recipe"].get("standardize"):
            return x.new_zeros(1), x.new_ones(1)
        statistics = self.manifest["statistics"]
        mean, std = (x.new_tensor(statistics[key])[:, None, None] for key in ("mean", "std"))
        return mean, std


def load_run(
    folder: Path,
    prepared: Path,
    device: torch.device | str = "cpu",
    *,
    key: str = "run",
    label: str | None = None,
    trusted: Iterable[str] = (),
) -> Trained:
    """Load the network of a published run.

    Parameters
    ----------
    folder : Path
        Of ``model.pt`` and ``spec.json``.
    prepared : Path
        Root of the prepared data sets.
    device : torch.device
        Where the network goes.
    key, label : str, optional
        Names; the run's model by default.
    trusted : iterable of str
        Objects outside this library (``package.module:object``) that the run may be built with.

    Raises
    ------
    FileNotFoundError
        If the weights or the prepared data are not there.
    ValueError
        If a file is damaged, names an object that is not trusted, or the weights are of another
        spec or do not fit its model.
    """
    for name in ("spec.json", "model.pt"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder / name} is missing: an analysis needs the weights of a training; the "
                "ledger does not hold them, so train the run here"
            )
    spec, device = read_json(folder / "spec.json"), torch.device(device)
    refuse_foreign(spec, trusted, folder / "spec.json")
    validate(spec)
    data = prepared / prepared_name(spec["data"])
    manifest = load_manifest(data)
    model = build_model(spec, manifest)
    _load_weights(model, folder / "model.pt", spec)
    return Trained(
        key, label or spec["model"]["name"], run_id(spec), spec, manifest, folder, data,
        model.to(device).eval(), device,
    )  # fmt: skip


def invertible(run: Trained) -> IRevNet:
    """Return the network of a run that has an inverse.

    Raises
    ------
    ValueError
        If it has none.
    """
    if not isinstance(run.model, IRevNet):
        raise ValueError(f"{run.run_id} has no inverse: give an i-RevNet")
    return run.model


def _load_weights(model: nn.Module, path: Path, spec: ResolvedSpec) -> None:
    of, weights = read_model(path)
    if science(of) != science(spec):
        raise ValueError(f"{path} holds weights of another spec than spec.json")
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the model of today's code: {error}") from error
