"""Shifts and flips: a pure function of the generator, the distribution of padding and cropping."""

import pytest
import torch
from torch.nn import functional

from structnets.data.batches.augmentation import (
    Moves,
    draw_moves,
    move,
    standardize,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.randint(0, 256, (40, 3, 7, 9), generator=generator(1), dtype=torch.uint8)


def test_the_generator_alone_decides(images):
    first = draw_moves(40, 2, generator(5))
    torch.manual_seed(123)
    again, other = (draw_moves(40, 2, generator(seed)) for seed in (5, 6))
    assert torch.equal(move(images, first), move(images, again))
    assert not torch.equal(move(images, first), move(images, other))


def test_equals_padding_cropping_and_flipping(images):
    moves = draw_moves(40, 2, generator())
    padded = functional.pad(images, (2, 2, 2, 2))
    for index, image in enumerate(move(images, moves)):
        top, left = 2 - int(moves.down[index]), 2 - int(moves.right[index])
        cropped = padded[index, :, top : top + 7, left : left + 9]
        assert torch.equal(image, cropped.flip(-1) if moves.flipped[index] else cropped)


def test_types_see_the_same_moves(images):
    moves = draw_moves(40, 2, generator())
    moved = move(images, moves)
    assert moved.dtype == torch.uint8
    assert torch.equal(move(images.float(), moves), moved.float())


def test_a_worker_s_share_of_the_draws(images):
    moves = draw_moves(40, 2, generator())
    whole = move(images, moves)
    assert torch.equal(move(images[10:20], moves[10:20]), whole[10:20])


def test_distribution():
    moves = draw_moves(20_000, 4, generator())
    for shift in (moves.down, moves.right):
        counts = torch.bincount(shift + 4, minlength=9)
        assert len(counts) == 9
        torch.testing.assert_close(counts / 20_000, torch.full((9,), 1 / 9), atol=0.01, rtol=0)
    assert moves.flipped.float().mean() == pytest.approx(0.5, abs=0.02)


def test_without_flips_the_shifts_stay():
    flipping, plain = draw_moves(50, 3, generator()), draw_moves(50, 3, generator(), flip=False)
    assert torch.equal(flipping.down, plain.down)
    assert not plain.flipped.any()


def test_by_hand():
    image = torch.arange(1, 7).view(1, 1, 2, 3)
    moved = move(image, Moves(torch.tensor([1]), torch.tensor([-1]), torch.tensor([True])))
    assert moved.tolist() == [[[[0, 0, 0], [0, 3, 2]]]]


def test_no_padding_changes_nothing(images):
    assert torch.equal(move(images, draw_moves(40, 0, generator(), flip=False)), images)


def test_standardised_images_have_no_mean_and_unit_deviation(images):
    scaled = images.double() / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3), correction=0)
    found = standardize(images, mean.tolist(), std.tolist())
    expected = (scaled - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(found, expected.float())


def test_bad_arguments(images):
    with pytest.raises(ValueError, match="padding must not be negative, got -1"):
        draw_moves(40, -1, generator())
    with pytest.raises(ValueError, match="moves are of 3 images, the batch has 40"):
        move(images, draw_moves(3, 1, generator()))
    for std in ([0.5] * 2, [0.5, 0.5, 0.0]):
        with pytest.raises(ValueError, match="as many means as positive deviations"):
            standardize(images, [0.5] * 3, std)
    with pytest.raises(ValueError, match="images have 3 channels, the statistics 1"):
        standardize(images, [0.5], [0.5])
