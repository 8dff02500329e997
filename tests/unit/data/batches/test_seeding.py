"""Random states and orders are functions of seed, step and rank."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from structnets.data.batches.seeding import (
    draw_step_moves,
    epoch_order,
    seed_step,
    stream_seed,
    worker_part,
)


def draw(seed: int, step: int, rank: int) -> list[float]:
    seed_step(seed, step, rank)
    return torch.rand(4).tolist()


def test_streams_are_distinct() -> None:
    streams = [
        stream_seed(*parts)
        for parts in itertools.product(range(5), ("step", "order", "initialisation"), range(20))
    ]
    assert len(set(streams)) == len(streams)
    assert all(0 <= stream < 2**63 for stream in streams)


def test_draws_depend_on_seed_step_and_rank_alone() -> None:
    first = draw(0, 7, 0)
    torch.rand(100)
    assert draw(0, 7, 0) == first
    others = [draw(1, 7, 0), draw(0, 8, 0), draw(0, 7, 1)]
    assert all(other != first for other in others)


@pytest.mark.parametrize("count", [1, 2, 300])
@pytest.mark.parametrize("epoch", [0, 1, 999])
def test_order_of_an_epoch_is_a_permutation(count: int, epoch: int) -> None:
    assert sorted(epoch_order(count, 3, epoch)) == list(range(count))


def test_orders_differ_by_epoch_and_seed() -> None:
    orders = [tuple(epoch_order(50, seed, epoch)) for seed in range(3) for epoch in range(10)]
    assert len(set(orders)) == len(orders)
    assert tuple(epoch_order(50, 0, 0)) == orders[0]


def test_every_image_comes_first_about_equally_often() -> None:
    first = [epoch_order(4, 0, epoch)[0] for epoch in range(2000)]
    np.testing.assert_allclose(np.bincount(first) / 2000, 0.25, atol=0.05)


@pytest.mark.parametrize("size", [1, 2, 5, 25])
@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_shares_of_a_batch_are_the_batch(size: int, world_size: int) -> None:
    batch = epoch_order(size, 0, 0)
    shares = [batch[worker_part(len(batch), rank, world_size)] for rank in range(world_size)]
    np.testing.assert_array_equal(np.concatenate(shares), batch)
    lengths = [len(share) for share in shares]
    assert max(lengths) - min(lengths) <= 1


def test_golden_stream_and_order() -> None:
    """A change here changes every run to come: old checkpoints would go on otherwise."""
    assert stream_seed(0, "order", 1) == 2_961_819_992_523_135_983
    assert epoch_order(8, 0, 0).tolist() == [7, 3, 2, 1, 0, 4, 5, 6]


def test_parts_are_not_confused() -> None:
    assert stream_seed(1, 11) != stream_seed(11, 1)
    assert stream_seed(1, "2") == stream_seed(1, 2)


def test_moves_depend_on_seed_and_step_alone() -> None:
    augmentation = {"shift": 4, "flip": True}
    first = draw_step_moves(augmentation, 0, 3, 50)
    torch.rand(7)
    again, other = draw_step_moves(augmentation, 0, 3, 50), draw_step_moves(augmentation, 0, 4, 50)
    assert first is not None
    assert again is not None
    assert other is not None
    assert torch.equal(first.down, again.down)
    assert not torch.equal(first.down, other.down)
    assert int(first.right.abs().max()) <= 4
    assert draw_step_moves(None, 0, 3, 50) is None
