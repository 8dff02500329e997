"""What boundary trainings read: parts equal the whole, splits are apart, blobs never repeat."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from structnets.data.batches.examples import Examples, Step
from structnets.data.prepared.manifest import load_manifest
from structnets.data.sets.preparation import Preparation
from structnets.forms.boundaries.images import BoundaryImages
from structnets.forms.tasks import make_task, open_examples
from structnets.forms.writing import prepare
from structnets.specs.spec import validate
from structnets.training.reporting import StoppedError

CPU = torch.device("cpu")
VALIDATION = {"split": "validation", "every": 1, "validation_fraction": 0.5}
CROPS = {"crop": [16, 24], "flips": True, "gamma": [0.5, 1.5], "thresholds": 9}
Opened = Callable[..., dict[str, Examples]]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    parameters = {"difficulty": "textures", "textures": "skimage"}
    for asked in (Preparation("made_boundaries"), Preparation("textured_blobs", parameters)):
        prepare(asked, folder / asked.name)
    return folder


def resolved(
    name: str, size: int | None, boundaries: dict[str, Any], **recipe: Any
) -> dict[str, Any]:
    model = {"made_boundaries": "dynresnet", "textured_blobs": "small_fcn"}[name]
    content = {
        "chapter": 4,
        "preset": "smoke",
        "seed": 0,
        "model": {"name": model, "options": {"width": 0.05} if model == "dynresnet" else {}},
        "data": {"name": name, "train_size": size},
        "metric": "ods",
        "recipe": {
            "optimizer": {"name": "adam", "lr": 0.01},
            "epochs": 2,
            "batch_size": 3,
            "boundaries": {"thresholds": 9, **boundaries},
            **recipe,
        },
    }
    return validate(content)


@pytest.fixture
def opened(prepared: Path) -> Opened:
    def open_of(spec: dict[str, Any]) -> dict[str, Examples]:
        folder = prepared / spec["data"]["name"]
        return open_examples(spec, folder, load_manifest(folder))

    return open_of


@pytest.mark.parametrize(("name", "settings"), [("made_boundaries", CROPS), ("textured_blobs", {})])
def test_parts_of_workers_are_parts_of_the_whole(name: str, settings: dict, opened: Opened) -> None:
    train = opened(resolved(name, 9, settings))["train"]
    batch = np.array([4, 0, 7, 2])
    whole, first, rest = (
        next(iter(train.stream([Step(5, batch, part)], CPU)))
        for part in (slice(0, 4), slice(0, 1), slice(1, 4))
    )
    for together, one, two in zip(whole, first, rest, strict=True):
        assert torch.equal(together, torch.cat([one, two]))
    again = next(iter(train.stream([Step(6, batch, slice(0, 4))], CPU)))
    assert not torch.equal(whole[0], again[0])


def rows(images: Examples) -> set[tuple[int, int]]:
    assert isinstance(images, BoundaryImages)
    return {tuple(row) for row in images.chosen.tolist()}


def test_validation_images_are_of_val_and_not_trained_on(opened: Opened) -> None:
    plain = opened(resolved("made_boundaries", None, CROPS, evaluation=VALIDATION))
    assert {split for split, _ in rows(plain["train"])} == {0}
    assert {split for split, _ in rows(plain["validation"])} == {1}
    both = opened(
        resolved("made_boundaries", None, {**CROPS, "include_val": True}, evaluation=VALIDATION)
    )
    assert [len(both[key]) for key in ("train", "validation", "test")] == [14, 2, 4]
    assert not rows(both["train"]) & rows(both["validation"])
    alone = opened(resolved("made_boundaries", 7, CROPS))
    assert (len(alone["train"]), "validation" in alone) == (7, False)


def test_blobs_never_repeat(opened: Opened) -> None:
    splits = opened(resolved("textured_blobs", 6, {}, evaluation=VALIDATION))
    train = splits["train"]
    assert (len(train), len(splits["validation"]), len(splits["test"])) == (6, 3, 100)
    steps = [Step(number, np.arange(3), slice(0, 3)) for number in range(4)]
    images = torch.cat([images for images, _ in train.stream(steps, CPU)])
    assert images.shape == (12, 1, 64, 64)
    assert len(images.flatten(1).unique(dim=0)) == 12


def test_smaller_batches_than_workers_are_explained(opened: Opened) -> None:
    train = opened(resolved("made_boundaries", 9, CROPS))["train"]
    with pytest.raises(ValueError, match="fewer examples than there are workers"):
        next(iter(train.stream([Step(0, np.array([1]), slice(1, 1))], CPU)))


def test_stopped_training_ends_as_an_uninterrupted_one(
    prepared: Path, run: Callable[..., dict[str, Any]]
) -> None:
    spec = resolved("made_boundaries", 9, CROPS, evaluation=VALIDATION)
    data = prepared / "made_boundaries"
    whole = run(spec, "whole", data=data)
    with pytest.raises(StoppedError):
        run(spec, "parts", stop_after=4, data=data)
    parts = run(spec, "parts", data=data)
    assert whole["metrics"] == parts["metrics"]
    assert set(whole["metrics"]) == {"ods", "ois", "ap", "loss"}
    assert len(whole["boundaries"]["counts"]) == 9
    task = make_task(spec, load_manifest(data))
    assert task.metric == "ods"
