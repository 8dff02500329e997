"""`directional_derivative`: the differential of a function, times a vector, in forward mode."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from torch import Tensor
from torch.func import jvp


def directional_derivative(
    function: Callable[[Tensor], Tensor], x: Tensor, direction: Tensor
) -> Tensor:
    """Return ``dPhi(x) v``.

    Parameters
    ----------
    function : callable
        Differentiable in forward mode.
    x, direction : Tensor
        Point and direction, of one shape.

    Returns
    -------
    Tensor
        Of the shape of ``function(x)``, without a graph.
    """
    with warnings.catch_warnings():
        # torch's own forward-mode rules are written in its deprecated script language.
        warnings.filterwarnings("ignore", ".*torch.jit.script.*", FutureWarning)
        return jvp(function, (x,), (direction,))[1].detach()
