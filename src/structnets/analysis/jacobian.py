"""The differential of a network at a point: exact for small images, matrix-free for large ones.

Thesis section 6.4.1 and Figure 19: the singular values of dPhi(x), and how much of their energy
(sum of squares) the first ones hold. All functions take a function of a batch whose samples do
not influence one another, so a network in eval mode, and one image (1, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from structnets.analysis.directional import directional_derivative
from structnets.analysis.weights_fixed import weights_fixed

Function = Callable[[Tensor], Tensor]


def jacobian(function: Function, x: Tensor, batch_size: int = 64) -> Tensor:
    """Return the exact differential of a function at one image.

    A batch of copies of the image is evaluated once; every backward pass through it then gives
    `batch_size` rows, one basis vector per copy.

    Parameters
    ----------
    function : callable
        Maps images (B, C, H, W) to features (B, ...), sample by sample.
    x : Tensor, shape (1, C, H, W)
        The image.
    batch_size : int
        Rows per backward pass.

    Returns
    -------
    Tensor, shape (M, N)
        Derivative of feature m by pixel n, of the dtype of `x`.

    Raises
    ------
    ValueError
        If `x` is no single image, or `batch_size` is below one.
    """
    _check_point(function, x)
    if batch_size < 1:
        raise ValueError(f"batch_size must be >= 1, got {batch_size}")
    copies = x.detach().expand(batch_size, *x.shape[1:]).clone().requires_grad_()
    with torch.enable_grad(), weights_fixed(function):
        features = function(copies).flatten(1)
        outputs = features.shape[1]
        rows = x.new_empty(outputs, x.numel())
        for start in range(0, outputs, batch_size):
            stop = min(start + batch_size, outputs)
            basis = torch.zeros_like(features)
            basis[torch.arange(stop - start), torch.arange(start, stop)] = 1
            (grad,) = torch.autograd.grad(features, copies, basis, retain_graph=stop < outputs)
            rows[start:stop] = grad[: stop - start].flatten(1)
    return rows


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a differential.

    Attributes
    ----------
    values : Tensor, shape (K,)
        The K largest, descending.
    energy : float
        Sum of the squares of all singular values, also of those not computed.
    total : int
        Number of all singular values.
    """

    values: Tensor
    energy: float
    total: int

    def cumulated_energy(self) -> Tensor:
        """Return the share of the energy in the first 1, 2, ... K values, shape (K,)."""
        return self.values.double().square().cumsum(0) / self.energy

    def count_for(self, share: float) -> int | None:
        """Return how many values hold a `share` of the energy; None if the K do not reach it."""
        reached = (self.cumulated_energy() >= share - 1e-12).nonzero()
        return int(reached[0]) + 1 if len(reached) else None


def exact_spectrum(function: Function, x: Tensor, batch_size: int = 64) -> Spectrum:
    """Return all singular values of the differential at one image, from the whole matrix."""
    values = torch.linalg.svdvals(jacobian(function, x, batch_size))
    return Spectrum(values, float(values.double().square().sum()), len(values))


def leading_spectrum(
    function: Function,
    x: Tensor,
    count: int = 100,
    *,
    oversampling: int = 20,
    iterations: int = 4,
    batch_size: int = 16,
    seed: int = 0,
) -> Spectrum:
    """Return the largest singular values without forming the matrix.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011) on products of the
    differential with vectors (jvp) and of its adjoint (vjp). The energy is that of all values
    found, and of the rest an estimate: ``E |J v|^2`` is the sum of squares that white v without
    what lies in the found directions meet.

    Parameters
    ----------
    function, x
        As in `jacobian`.
    count : int
        Singular values wanted.
    oversampling : int
        Further directions that are iterated, for accuracy.
    iterations : int
        Passes by the matrix and its adjoint; more for a slowly decaying spectrum.
    batch_size : int
        Vectors per evaluation.
    seed : int
        Of the random start.

    Returns
    -------
    Spectrum
        `count` values; the last of them are slight underestimates.

    Raises
    ------
    ValueError
        If `count` is not between 1 and the number of pixels.
    """
    _check_point(function, x)
    pixels = x.numel()
    if not 1 <= count <= pixels:
        raise ValueError(f"count must be from 1 to the {pixels} pixel values, got {count}")
    products = _Products(function, x.detach(), batch_size)
    generator = torch.Generator().manual_seed(seed)
    width = min(count + oversampling, pixels)
    vectors = torch.randn(width, pixels, generator=generator, dtype=x.dtype).to(x.device)
    images = products.forward(vectors)
    for _ in range(iterations):
        vectors = _orthonormal(products.adjoint(_orthonormal(images)))
        images = products.forward(vectors)
    values = torch.linalg.svdvals(images)
    energy = float(values.double().square().sum())
    if width < pixels:
        rest = torch.randn(width, pixels, generator=generator, dtype=x.dtype).to(x.device)
        rest = products.forward(rest - (rest @ vectors.T) @ vectors)
        energy += float(rest.double().square().sum(1).mean())
    return Spectrum(values[:count], energy, min(images.shape[1], pixels))


def _orthonormal(rows: Tensor) -> Tensor:
    """Return an orthonormal basis of the rows' span, as rows."""
    return torch.linalg.qr(rows.T).Q.T


class _Products:
    """Products of the differential and its adjoint with rows of vectors."""

    def __init__(self, function: Function, x: Tensor, batch_size: int) -> None:
        self.function, self.x, self.batch_size = function, x, batch_size

    def forward(self, vectors: Tensor) -> Tensor:
        """Return J v for every row v, shape (K, M)."""
        return torch.cat([self._pushed(part) for part in vectors.split(self.batch_size)])

    def adjoint(self, vectors: Tensor) -> Tensor:
        """Return J^T u for every row u, shape (K, N)."""
        return torch.cat([self._pulled(part) for part in vectors.split(self.batch_size)])

    def _copies(self, count: int) -> Tensor:
        return self.x.expand(count, *self.x.shape[1:]).clone()

    def _pushed(self, part: Tensor) -> Tensor:
        copies = self._copies(len(part))
        with weights_fixed(self.function):
            moved = directional_derivative(self.function, copies, part.reshape_as(copies))
        return moved.flatten(1)

    def _pulled(self, part: Tensor) -> Tensor:
        copies = self._copies(len(part)).requires_grad_()
        with torch.enable_grad(), weights_fixed(self.function):
            features = self.function(copies)
            (grad,) = torch.autograd.grad(features, copies, part.reshape_as(features))
        return grad.flatten(1)


def _check_point(function: Any, x: Tensor) -> None:
    if x.ndim < 2 or x.shape[0] != 1:
        raise ValueError(f"x must be one image, shape (1, C, H, W); got {tuple(x.shape)}")
    owner = getattr(function, "__self__", function)
    if isinstance(owner, nn.Module) and owner.training:
        raise ValueError(
            "function must be in eval mode: in training mode batch norm couples the samples of a "
            "batch; call eval() first"
        )
