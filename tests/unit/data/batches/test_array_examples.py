"""Images as the training loop reads them: scale, standardisation, moves."""

from __future__ import annotations

import numpy as np
import torch

from structnets.data.batches.array_examples import Images, Reading
from structnets.data.batches.augmentation import Standardization, move
from structnets.data.batches.examples import Step
from structnets.data.batches.seeding import draw_step_moves
from structnets.data.prepared.statistics import channel_statistics

CPU = torch.device("cpu")


def made() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (6, 3, 5, 5), dtype=np.uint8), np.arange(6)


def test_standardised_images_have_mean_zero_and_deviation_one() -> None:
    images, labels = made()
    statistics = channel_statistics(images)
    standardization = Standardization(statistics["mean"], statistics["std"])
    whole = Images(images, labels, labels, Reading(standardization))
    x, _ = whole.batch(np.arange(6), CPU)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3))


def test_positions_count_among_those_that_are_meant() -> None:
    images, labels = made()
    x, y = Images(images, labels, np.array([4, 1])).batch(np.array([1, 0]), CPU)
    assert y.tolist() == [1, 4]
    torch.testing.assert_close(x, torch.from_numpy(images[[1, 4]]).float() / 255)


def test_training_images_are_moved_before_they_are_standardised() -> None:
    images, labels = made()
    standardization = Standardization([0.5] * 3, [0.25] * 3)
    augmentation = {"shift": 2, "flip": True}
    some = Images(images, labels, labels, Reading(standardization, augmentation, seed=7))
    step = Step(3, np.array([5, 0, 2, 1]), slice(1, 3))
    ((x, y),) = some.stream([step], CPU)
    moves = draw_step_moves(augmentation, 7, 3, 4)
    assert moves is not None
    moved = move(torch.from_numpy(images[[0, 2]]), moves[1:3])
    assert y.tolist() == [0, 2]
    torch.testing.assert_close(x, (moved / 255 - 0.5) / 0.25)
    assert float(x.min()) == -2.0  # what comes in from outside is black
