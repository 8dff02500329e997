"""Properties that a user can measure on a module of their own; all return numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn._exact_products import doubled
from structnets.nn.reparametrize import collapse_model


def check_equivariance(
    module: Callable[[Tensor], Tensor],
    x: Tensor,
    before: Callable[[Tensor], Tensor],
    after: Callable[[Tensor], Tensor] | None = None,
) -> float:
    """Measure how far ``module(before(x))`` is from ``after(module(x))``.

    Parameters
    ----------
    module : callable
        Evaluated as it is, without gradients; call ``eval()`` first where modes differ.
    x : Tensor
        An input, better of white noise than of zeros.
    before, after : callable
        The transformation of inputs, and of outputs; `after` is `before` if not given. A function
        that returns its argument asks for invariance.

    Returns
    -------
    float
        The norm of the difference relative to that of ``module(x)``.

    Raises
    ------
    ValueError
        If the two sides have different shapes, or the module answers with zeros.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from structnets.nn import check_equivariance
    >>> blur = nn.AvgPool2d(3, 1, 1)
    >>> x = torch.randn(1, 2, 8, 8)
    >>> check_equivariance(blur, x, lambda maps: maps.rot90(1, (2, 3))) < 1e-6
    True
    """
    after = before if after is None else after
    with torch.no_grad():
        plain = module(x)
        found, expected = module(before(x)), after(plain)
    if found.shape != expected.shape:
        raise ValueError(
            f"module(before(x)) has shape {tuple(found.shape)}, after(module(x)) "
            f"{tuple(expected.shape)}: give an `after` that fits the outputs"
        )
    return _relative(found, expected)


def check_inverse(module: Any, x: Any, *condition: Any) -> dict[str, float]:
    """Measure how well a module's ``inverse`` undoes it, and it its inverse.

    Parameters
    ----------
    module : nn.Module
        With an ``inverse`` method, in eval mode.
    x : Tensor or tuple of Tensor
        An input.
    *condition
        Further arguments of both, as `InvertibleSequential` takes them.

    Returns
    -------
    dict
        ``input``: relative error of ``inverse(module(x))``; ``output``: that of
        ``module(inverse(y))`` for ``y = module(x)``.

    Raises
    ------
    TypeError
        If the module has no inverse.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import Bottleneck, InvertibleBlock, check_inverse
    >>> block = InvertibleBlock(Bottleneck(4, 4)).eval()
    >>> found = check_inverse(block, (torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)))
    >>> max(found.values()) < 1e-5
    True
    """
    if not callable(getattr(module, "inverse", None)):
        raise TypeError(f"{type(module).__name__} has no inverse method")
    with torch.no_grad():
        y = module(x, *condition)
        back = module.inverse(y, *condition)
        again = module(back, *condition)
    return {"input": _relative(_flat(back), _flat(x)), "output": _relative(_flat(again), _flat(y))}


def check_collapse(module: nn.Module, x: Tensor) -> float:
    """Measure how far a model is from its plain equivalent, `collapse_model` of a copy.

    Parameters
    ----------
    module : nn.Module
        Evaluated in eval mode; it is left as it is.
    x : Tensor
        An input.

    Returns
    -------
    float
        The norm of the difference relative to that of the output.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv2d, check_collapse
    >>> check_collapse(GaussianConv2d(3, 4), torch.randn(1, 3, 16, 16)) < 1e-5
    True
    """
    original = copy.deepcopy(module).eval()
    plain = collapse_model(copy.deepcopy(module).eval())
    with torch.no_grad():
        return _relative(plain(x), original(x))


def _relative(found: Tensor, expected: Tensor) -> float:
    norm = float(torch.linalg.vector_norm(doubled(expected)))
    if norm == 0:
        raise ValueError("the module answers with zeros, to which no error is relative")
    return float(torch.linalg.vector_norm(doubled(found - expected))) / norm


def _flat(x: Tensor | tuple[Tensor, ...]) -> Tensor:
    parts = (x,) if isinstance(x, Tensor) else x
    return torch.cat([part.flatten() for part in parts])
