"""Images of some classes alone: the same in both splits, and all of their images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from structnets.data.batches.subset import train_indices
from structnets.figures.split_features import images_of_classes

LABELS = {"train": np.arange(200) % 20, "test": np.arange(60)[::-1] % 20}


def trained() -> Any:
    """Return what `images_of_classes` asks of a run, of 20 classes with 10 and 3 images each."""

    def choose(split: str, count: int, seed: int = 0) -> np.ndarray:
        return train_indices(len(LABELS[split]), count, seed)

    return SimpleNamespace(
        manifest={"classes": [f"class {n}" for n in range(20)]},
        data="made",
        splits=LABELS,
        choose=choose,
        labels=lambda split, positions: LABELS[split][positions],
    )


def test_some_classes_are_the_same_in_both_splits_and_whole() -> None:
    run = trained()
    found = {s: LABELS[s][images_of_classes(run, s, 1000, 5)] for s in LABELS}
    classes = {split: set(labels.tolist()) for split, labels in found.items()}
    assert classes["train"] == classes["test"]
    assert len(classes["train"]) == 5
    assert classes["train"] != set(range(5))  # drawn at random, not the first
    assert (len(found["train"]), len(found["test"])) == (50, 15)


def test_of_many_images_the_first_of_a_shuffle_are_taken() -> None:
    run = trained()
    some, all_ = (images_of_classes(run, "train", count, 5) for count in (20, 50))
    assert len(set(some.tolist())) == 20
    np.testing.assert_array_equal(some, all_[:20])
    np.testing.assert_array_equal(
        images_of_classes(run, "train", 30, None), run.choose("train", 30)
    )


def test_more_classes_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="at most the 20 of made, got 21"):
        images_of_classes(trained(), "train", 10, 21)
