"""What every use needs: where it is registered, and how gradients are taken and compared."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.matrix.layers import Layer

Use = Callable[[Layer], None]
QUICK: dict[str, Use] = {}
SLOW: dict[str, Use] = {}


def quick(name: str) -> Callable[[Use], Use]:
    """Register a use that CI checks."""
    return lambda use: QUICK.setdefault(name, use)


def slow(name: str) -> Callable[[Use], Use]:
    """Register a use that `make matrix` checks."""
    return lambda use: SLOW.setdefault(name, use)


def gradients(module: nn.Module, x: Tensor) -> list[Tensor]:
    """Return the output, and the gradients of input and weights of a loss of it."""
    x = x.detach().requires_grad_()
    torch.manual_seed(2)  # of dropout
    out = module(x)
    wanted = [x, *(p for p in module.parameters() if p.requires_grad)]
    exact = out if out.dtype == torch.float64 else out.float()
    return [out.detach(), *torch.autograd.grad(exact.square().mean(), wanted)]


def assert_near(found: list[Tensor], expected: list[Tensor], tolerance: float = 1e-9) -> None:
    """Compare lists of tensors, each relative to its size."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        difference = (one.double() - other.double()).norm()
        assert difference <= tolerance * other.double().norm() + 1e-12, (one, other)
