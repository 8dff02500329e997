"""Images as the training loop reads them: scale, standardisation, moves."""

from __future__ import annotations

import numpy as np
import torch

from structnets.data.augmentation import Moves
from structnets.data.statistics import channel_statistics
from structnets.training.arrays import Images

CPU = torch.device("cpu")


def made() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (6, 3, 5, 5), dtype=np.uint8), np.arange(6)


def test_standardised_images_have_mean_zero_and_deviation_one() -> None:
    images, labels = made()
    whole = Images(images, labels, labels, channel_statistics(images))
    x, _ = whole.batch(np.arange(6), CPU)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(3))


def test_positions_count_among_those_that_are_meant() -> None:
    images, labels = made()
    x, y = Images(images, labels, np.array([4, 1])).batch(np.array([1, 0]), CPU)
    assert y.tolist() == [1, 4]
    torch.testing.assert_close(x, torch.from_numpy(images[[1, 4]]).float() / 255)


def test_what_a_shift_brings_in_is_black_before_standardisation() -> None:
    images, labels = made()
    moves = Moves(torch.tensor([1]), torch.tensor([0]), torch.tensor([False]))
    statistics = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    x, _ = Images(images, labels, labels, statistics).batch(np.array([2]), CPU, moves)
    torch.testing.assert_close(x[0, :, 0], torch.full((3, 5), -2.0))
    still, _ = Images(images, labels, labels, statistics).batch(np.array([2]), CPU)
    torch.testing.assert_close(x[0, :, 1:], still[0, :, :-1])
