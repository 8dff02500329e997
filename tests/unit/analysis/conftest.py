"""A small bijective i-RevNet whose batch norm has seen noise."""

from __future__ import annotations

import pytest
import torch

from structnets.models.irevnet import IRevNet, irevnet


def small(**options: object) -> IRevNet:
    """Build a net for 8 x 8 images and let batch norm see some."""
    torch.manual_seed(0)
    arguments = {"blocks": (2, 2), "strides": (2, 1), "channels": (24, 24), **options}
    model = irevnet(**arguments)
    with torch.no_grad():
        for _ in range(10):
            model(torch.rand(8, 3, 8, 8))
    return model.eval()


@pytest.fixture(scope="session")
def net() -> IRevNet:
    return small()


@pytest.fixture(scope="session")
def exact_net() -> IRevNet:
    return small().double()


@pytest.fixture(scope="session")
def injective_net() -> IRevNet:
    return small(blocks=(3, 2), strides=(1, 2), channels=(8, 32), init_ds=1)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
