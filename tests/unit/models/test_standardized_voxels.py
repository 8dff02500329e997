"""Standardised voxels: invariance, by hand, a constant volume."""

from __future__ import annotations

import torch

from structnets import create_model


def test_gain_and_offset_do_not_matter() -> None:
    volumes = torch.rand(3, 1, 4, 5, 4, generator=torch.Generator().manual_seed(0))
    model = create_model("standardized_voxels")
    torch.testing.assert_close(model(volumes), model(3 * volumes + 5), rtol=1e-4, atol=1e-4)


def test_by_hand() -> None:
    volume = torch.tensor([1.0, 3.0, 1.0, 3.0]).reshape(1, 1, 2, 2, 1)
    found = create_model("standardized_voxels")(volume)
    assert found.tolist() == [[-1.0, 1.0, -1.0, 1.0]]


def test_constant_volume_becomes_zero() -> None:
    found = create_model("standardized_voxels")(torch.full((2, 1, 3, 3, 3), 7.0))
    assert found.shape == (2, 27)
    assert not found.any()
