r"""Central differences of maps along an axis, and their adjoints, as few passes over memory.

Unscaled, with whole numbers as taps: order 1 is :math:`x_{-1} - x_{+1}` (the sign of a filter
that `structnets.bases.discretisation.central_difference` lists, twice its size), order 2
:math:`x_{-1} + x_{+1} - 2 x_0`, higher ones second differences of lower ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Line:
    """Places on an axis at which differences are taken: start, start + step, ... (count of them).

    Parameters
    ----------
    axis : int
        Axis of the maps.
    start, count, step : int
        Places, in samples of the maps.
    spacing : int
        Distance of neighbours: the dilation.
    """

    axis: int
    start: int
    count: int
    step: int = 1
    spacing: int = 1

    def of(self, maps: Tensor, offset: int = 0) -> Tensor:
        """Return the samples at a distance (in spacings) from the places, a view."""
        first = self.start + offset * self.spacing
        index = [slice(None)] * maps.ndim
        index[self.axis] = slice(first, first + (self.count - 1) * self.step + 1, self.step)
        return maps[tuple(index)]

    def around(self) -> Line:
        """Return all places that a second difference at these places reads."""
        count = (self.count - 1) * self.step + 1 + 2 * self.spacing
        return Line(self.axis, self.start - self.spacing, count, 1, self.spacing)

    def inside(self) -> Line:
        """Return these places in maps that `around` has cut."""
        return Line(self.axis, self.spacing, self.count, self.step, self.spacing)


def difference(maps: Tensor, order: int, line: Line, out: Tensor | None = None) -> Tensor:
    """Return the unscaled central difference of an order at the places of a line.

    Order 0 without `out` is a view.
    """
    if order == 0:
        return line.of(maps) if out is None else out.copy_(line.of(maps))
    if order == 1:
        return torch.sub(line.of(maps, -1), line.of(maps, 1), out=out)
    if order == 2:
        both = torch.add(line.of(maps, -1), line.of(maps, 1), out=out)
        return both.sub_(line.of(maps), alpha=2)
    return difference(difference(maps, order - 2, line.around()), 2, line.inside(), out)


def add_adjoint(gradient: Tensor, order: int, line: Line, into: Tensor) -> None:
    """Add to `into` what the transposed `difference` makes of `gradient`."""
    if order == 0:
        line.of(into).add_(gradient)
    elif order == 1:
        line.of(into, -1).add_(gradient)
        line.of(into, 1).sub_(gradient)
    elif order == 2:
        line.of(into, -1).add_(gradient)
        line.of(into, 1).add_(gradient)
        line.of(into).sub_(gradient, alpha=2)
    else:
        wide = line.around()
        shape = list(gradient.shape)
        shape[line.axis] = wide.count
        between = gradient.new_zeros(shape)
        add_adjoint(gradient, 2, line.inside(), between)
        add_adjoint(between, order - 2, wide, into)
