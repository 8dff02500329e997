"""Whether an invertible network can be inverted in a given precision, block by block.

A block maps (x, x~) to (x~, x + F(x~)), S apart. If its F stretches by at most s around a point,
the block's differential has singular values g and 1/g with ``g - 1/g = s``: its condition is
``g^2``, ``g = (s + sqrt(s^2 + 4)) / 2``. The product over blocks bounds the amplification of
rounding errors from far above; what happens is measured by inverting in that precision.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import vjp

from structnets.analysis.directional import directional_derivative
from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.invertible_sequential import InvertibleSequential
from structnets.nn.streams import LeftInverseWarning, Streams

PRECISIONS = (torch.float32, torch.bfloat16)


class StabilityWarning(UserWarning):
    """A network cannot be inverted in a precision."""


@dataclass(frozen=True)
class BlockStability:
    """One invertible block around the given images.

    Attributes
    ----------
    name : str
        Of the module.
    lipschitz : float
        Largest singular value of F's differential over the images: a lower estimate of F's
        Lipschitz constant.
    condition : float
        Of the block's differential.
    errors : dict of float
        Per precision, the relative error of the block's input when the network is inverted
        from its end down to this block.
    """

    name: str
    lipschitz: float
    condition: float
    errors: dict[str, float]


@dataclass(frozen=True)
class StabilityReport:
    """Stability of a whole network.

    Attributes
    ----------
    blocks : tuple of BlockStability
        In order.
    errors : dict of float
        Per precision, the relative error of the reconstructed images; NaN if not finite.
    tolerance : float
        Largest error that counts as invertible.
    log10_bound : float
        Logarithm of the product of the blocks' conditions, a bound of the amplification.
    """

    blocks: tuple[BlockStability, ...]
    errors: dict[str, float]
    tolerance: float
    log10_bound: float

    def is_invertible_in(self, precision: str) -> bool:
        """Say whether images come back within the tolerance, ``float32`` or ``bfloat16``."""
        return self.errors[precision] <= self.tolerance


def stability_report(
    features: InvertibleSequential,
    x: Tensor,
    *,
    tolerance: float = 1e-2,
    precisions: Sequence[torch.dtype] = PRECISIONS,
    iterations: int = 10,
) -> StabilityReport:
    """Examine every block of an invertible network around some images.

    Parameters
    ----------
    features : InvertibleSequential
        The invertible part of a network (``model.features``), in eval mode.
    x : Tensor, shape (B, C, H, W)
        Images like those to be inverted; a few suffice.
    tolerance : float
        Relative error of the reconstruction above which a warning is given.
    precisions : sequence of torch.dtype
        In which the network is to be inverted.
    iterations : int
        Steps of power iteration for the Lipschitz estimates.

    Returns
    -------
    StabilityReport
        Per block and in all.

    Warns
    -----
    StabilityWarning
        For every precision in which the network cannot be inverted.

    Raises
    ------
    ValueError
        If the network is in training mode, or a part of it is an `InvertibleSequential` itself.
    """
    if features.training:
        raise ValueError("features must be in eval mode, in which alone they have an inverse")
    for name, part in features.named_children():
        if isinstance(part, InvertibleSequential):
            raise ValueError(
                f"{name} is an InvertibleSequential of its own, whose blocks would not be counted: "
                "put its modules into one with the others"
            )
    exact = copy.deepcopy(features).double()
    reached = _forward(exact, x.double())
    drifts = {_name(p): _drift(features, x, p) for p in precisions}
    blocks = []
    for i, (name, module) in enumerate(exact._modules.items()):
        if not isinstance(module, InvertibleBlock):
            continue
        stretch = lipschitz(module.residual, reached[i][1], iterations)
        errors = {precision: drift[i] for precision, drift in drifts.items()}
        blocks.append(BlockStability(name, stretch, condition(stretch), errors))
    report = StabilityReport(
        tuple(blocks),
        {precision: drift[0] for precision, drift in drifts.items()},
        tolerance,
        math.fsum(math.log10(block.condition) for block in blocks),
    )
    _warn(report)
    return report


def condition(stretch: float) -> float:
    """Return the condition of a block whose F stretches by at most `stretch`."""
    largest = (stretch + math.sqrt(stretch**2 + 4)) / 2
    return largest**2


def lipschitz(function: nn.Module, x: Tensor, iterations: int = 10, seed: int = 0) -> float:
    """Estimate a function's Lipschitz constant from below by power iteration at some points.

    Parameters
    ----------
    function : nn.Module
        In eval mode, differentiable at `x`.
    x : Tensor, shape (B, C, H, W)
        Points, treated independently.
    iterations : int
        Products with the differential and its adjoint.
    seed : int
        Of the first direction.

    Returns
    -------
    float
        The largest singular value of the differential over the points.
    """
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    pullback = vjp(function, x)[1]
    stretch = x.new_zeros(len(x))
    for _ in range(iterations):
        moved = directional_derivative(function, x, _normalized(direction))
        stretch = moved.flatten(1).norm(dim=1)
        (direction,) = pullback(moved)
    return float(stretch.max())


def _normalized(x: Tensor) -> Tensor:
    norms = x.flatten(1).norm(dim=1).clamp_min(torch.finfo(x.dtype).tiny)
    return x / norms.view(-1, *[1] * (x.ndim - 1))


@torch.no_grad()
def _forward(features: InvertibleSequential, x: Tensor) -> list[Tensor | Streams]:
    """Return the input of every module, and the output of the last."""
    reached: list[Tensor | Streams] = [x]
    for module in features:
        reached.append(module(reached[-1]))
    return reached


@torch.no_grad()
def _drift(features: InvertibleSequential, x: Tensor, precision: torch.dtype) -> list[float]:
    """Encode and decode in a precision; return the relative error of every module's input."""
    low = copy.deepcopy(features).to(precision)
    reached = _forward(low, x.to(precision))
    errors = []
    back = reached[-1]
    for module, truth in zip(reversed(low), reversed(reached[:-1]), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LeftInverseWarning)  # part of the error measured
            back = module.inverse(back)  # type: ignore[operator]
        errors.append(_relative_error(back, truth))
    return errors[::-1]


def _relative_error(found: Tensor | Streams, truth: Tensor | Streams) -> float:
    one, two = (
        torch.cat([part.flatten().double() for part in ([t] if isinstance(t, Tensor) else t)])
        for t in (found, truth)
    )
    error = float((one - two).norm() / two.norm())
    return error if math.isfinite(error) else math.nan


def _name(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")


def _warn(report: StabilityReport) -> None:
    for precision, error in report.errors.items():
        if report.is_invertible_in(precision):
            continue
        first = next(
            (b for b in reversed(report.blocks) if not b.errors[precision] <= report.tolerance),
            None,
        )
        where = "" if first is None else f", from block {first.name!r} on"
        warnings.warn(
            f"in {precision} this net cannot be inverted: the images come back with a relative "
            f"error of {error:.2g}{where} (tolerance {report.tolerance:g}); invert it in a higher "
            "precision, or train with stored activations (reversible=False)",
            StabilityWarning,
            stacklevel=3,
        )
