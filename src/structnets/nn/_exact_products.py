"""Sums of atoms that rounded coefficients would spoil, kept out of mixed precision."""

from __future__ import annotations

import torch
from torch import Tensor

from structnets.nn._modes import LOW, without_autocast


def doubled(x: Tensor) -> Tensor:
    """Return a tensor in double precision, complex numbers as such."""
    return x.to(torch.complex128) if x.is_complex() else x.double()


def exact_product(weights: Tensor, atoms: Tensor) -> Tensor:
    """Mix atoms (N, taps) by weights (..., N): (..., taps), rounded once.

    Autocast does not reach this product; weights in half precision are mixed in single.
    """
    if isinstance(weights, torch.fx.Proxy):
        return weights @ atoms
    with without_autocast(weights.device.type):
        if weights.dtype in LOW:
            return (weights.float() @ atoms.float()).to(weights.dtype)
        return weights @ atoms
