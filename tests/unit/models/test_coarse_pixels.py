"""Coarse pixels: means of cells, brightness kept, what is refused."""

from __future__ import annotations

import pytest
import torch

from structnets import create_model


def test_by_hand() -> None:
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    found = create_model("coarse_pixels", side=2)(picture)
    assert found.tolist() == [[2.5, 4.5, 10.5, 12.5]]
    assert torch.equal(create_model("coarse_pixels", side=2)(picture + 3), found + 3)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="side must be at least 1, got 0"):
        create_model("coarse_pixels", side=0)
    model = create_model("coarse_pixels", in_channels=3)
    assert model(torch.zeros(2, 3, 20, 30)).shape == (2, 768)
    with pytest.raises(ValueError, match="3 channels, got 1"):
        model(torch.zeros(1, 1, 20, 20))
    with pytest.raises(ValueError, match=r"pictures \(B, C, H, W\)"):
        model(torch.zeros(3, 20, 20))
