"""Training batches from prepared ImageNet beside torchvision's ImageFolder and DataLoader.

Same workers, same distribution of crops and flips, same tensors (float32, standardised, NCHW).
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pipelines.prepare import prepare as prepare_set
from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.crops import Crop, RandomCrop, RandomResizedCrop
from structnets.data.batches.examples import Step
from structnets.data.batches.image_pipeline import ImagePipeline
from structnets.data.prepared.shards import ShardedSplit
from structnets.data.sets.preparation import Preparation
from tests.benchmarks.timing import seconds_of

WORKERS = 2
BATCH = 64
REPETITIONS = 7
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def prepared(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a preparation of the real sample, made once for each geometry and storage."""

    @functools.cache
    def prepare(geometry: str, storage: str) -> Path:
        out = tmp_path_factory.mktemp("prepared") / f"{geometry}_{storage}"
        choice = {"partial": True, "geometry": geometry, "storage": storage}
        prepare_set(Preparation("imagenet", choice, data_root, workers=WORKERS), out)
        return out

    return prepare


def image_folder(root: Path, crop: str) -> Callable[[], object]:
    """Return an epoch of torchvision's way; its workers stay between epochs."""
    from torchvision import datasets, transforms

    ways = {
        "squash256": [transforms.Resize((256, 256)), transforms.RandomCrop(224)],
        "short256": [transforms.RandomResizedCrop(224)],
    }
    last = [transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    chain = [*ways[crop], *last, transforms.Normalize(MEAN, STD)]
    images = datasets.ImageFolder(str(root), transforms.Compose(chain))
    loader = DataLoader(
        images, BATCH, shuffle=True, num_workers=WORKERS, drop_last=True, persistent_workers=True
    )
    return lambda: exhaust(iter(loader))


def exhaust(batches: Iterator[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Take every batch, as a training does that costs nothing."""
    for images, labels in batches:
        assert images.shape == (BATCH, 3, 224, 224)
        assert images.dtype == torch.float32
        assert len(labels) == BATCH


def sharded(pipeline: ImagePipeline) -> Callable[[], object]:
    """Return an epoch of ours."""
    count = len(pipeline.split) // BATCH * BATCH

    def epoch() -> None:
        order = np.random.default_rng().permutation(len(pipeline.split))[:count]
        batches = enumerate(order.reshape(-1, BATCH))
        exhaust(pipeline.stream((Step(i, rows, slice(None)) for i, rows in batches), seed=0))

    return epoch


@pytest.mark.benchmark
@pytest.mark.parametrize("storage", ["raw", "jpeg"])
@pytest.mark.parametrize(
    ("geometry", "crop"), [("squash256", RandomCrop()), ("short256", RandomResizedCrop())]
)
def test_images_per_second(
    prepared: Callable[..., Path], data_root: Path, geometry: str, crop: Crop, storage: str
) -> None:
    split = ShardedSplit(prepared(geometry, storage), "train")
    peer = image_folder(data_root / "imagenet" / "train", geometry)
    standardization = Standardization(MEAN, STD)
    with ImagePipeline(split, crop, threads=WORKERS, standardization=standardization) as pipeline:
        own = sharded(pipeline)
        pairs = [(seconds_of(peer), seconds_of(own)) for _ in range(REPETITIONS + 1)][1:]
    ratios = [slow / fast for slow, fast in pairs]
    images = len(split) // BATCH * BATCH
    slow, fast = (statistics.median(times) for times in zip(*pairs, strict=True))
    size = sum(entry["size"] for entry in split.manifest["files"].values())
    count = sum(sum(of.values()) for of in split.manifest["counts"].values())
    print(
        f"\n{geometry} {storage:4s} ImageFolder {images / slow:5.0f}, shards {images / fast:6.0f} "
        f"images/s with {WORKERS} workers; ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}..{max(ratios):.2f}); {size / count * 1281.167e-6:.0f} GB for ImageNet"
    )
