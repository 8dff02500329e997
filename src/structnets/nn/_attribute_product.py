"""Two ways to correlate arrays with filters along two attribute axes, backward pass included.

Both work on a chunk of positions, ``array`` of shape (M, A, B, Q) in memory, and write
(M, A', B', K). They are written out with their gradients because the fused evaluation
(`structnets.nn._fused_convolution`) recomputes the array instead of keeping it.

- `ConvolvedProduct`: torch's convolution on channels-last images of A x B pixels; pads with zeros
  only.
- `BandedProduct`: one matrix product per output of the first axis, with the matrices of the
  second axis written out. It spends multiplications on zeros, but at the speed of a matrix
  product: better for few attributes, and the only way with circular padding.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._attribute_axes import AttributeAxes


class AttributeProduct(Protocol):
    """What the fused evaluation asks of a way."""

    def __init__(self, axes: AttributeAxes) -> None: ...

    def prepare(self, filters: Tensor) -> Tensor:
        """Return the weight the other methods take, from filters (K, Q, a, b); differentiable."""
        ...

    def forward(self, array: Tensor, weight: Tensor, out: Tensor) -> None:
        """Correlate `array` into `out`."""
        ...

    def backward(
        self, array: Tensor, weight: Tensor, grad: Tensor, grad_weight: Tensor | None
    ) -> Tensor:
        """Return the array's gradient; add the weight's to `grad_weight`."""
        ...

    def reference(self, array: Tensor, weight: Tensor) -> Tensor:
        """Correlate by operations that can be differentiated any number of times."""
        ...


class ConvolvedProduct:
    """Correlation by ``conv2d``, one image per position."""

    def __init__(self, axes: AttributeAxes) -> None:
        self.stride, self.padding = list(axes.subsampling), list(axes.margins)

    def prepare(self, filters: Tensor) -> Tensor:
        """Lay the filters out as the convolution wants them."""
        return filters.contiguous(memory_format=torch.channels_last)

    def forward(self, array: Tensor, weight: Tensor, out: Tensor) -> None:
        """Correlate `array` into `out`."""
        image = array.permute(0, 3, 1, 2)
        product = functional.conv2d(image, weight, None, self.stride, self.padding)
        out.copy_(product.permute(0, 2, 3, 1))

    def backward(
        self, array: Tensor, weight: Tensor, grad: Tensor, grad_weight: Tensor | None
    ) -> Tensor:
        """Return the array's gradient; add the weight's to `grad_weight`."""
        grad_image, added, _ = torch.ops.aten.convolution_backward(
            grad.permute(0, 3, 1, 2),
            array.permute(0, 3, 1, 2),
            weight,
            None,
            self.stride,
            self.padding,
            [1, 1],
            False,
            [0, 0],
            1,
            [True, grad_weight is not None, False],
        )
        if grad_weight is not None:
            grad_weight += added
        return grad_image.permute(0, 2, 3, 1).contiguous()

    def reference(self, array: Tensor, weight: Tensor) -> Tensor:
        """Correlate by operations that can be differentiated any number of times."""
        image = array.permute(0, 3, 1, 2)
        product = functional.conv2d(image, weight, None, self.stride, self.padding)
        return product.permute(0, 2, 3, 1)


class BandedProduct:
    """Correlation by matrix products, a slice of the array per output of the first axis."""

    def __init__(self, axes: AttributeAxes) -> None:
        self.axes = axes

    def prepare(self, filters: Tensor) -> Tensor:
        """Write out the matrices of the second axis, shape (a, B Q, B' K): one per first tap."""
        placed = torch.einsum("kqad,iod->aiqok", filters, self.axes.placement(filters))
        return placed.reshape(len(placed), placed.shape[1] * placed.shape[2], -1)

    def forward(self, array: Tensor, weight: Tensor, out: Tensor) -> None:
        """Correlate `array` into `out`."""
        rows, results = array.flatten(1), out.flatten(2)
        width = weight.shape[1]
        for output, runs in enumerate(self.axes.runs):
            for number, run in enumerate(runs):
                part = rows[:, run.start * width : (run.start + run.length) * width]
                matrix = weight[run.first : run.first + run.length].flatten(0, 1)
                results[:, output].addmm_(part, matrix, beta=int(number > 0))

    def backward(
        self, array: Tensor, weight: Tensor, grad: Tensor, grad_weight: Tensor | None
    ) -> Tensor:
        """Return the array's gradient; add the weight's to `grad_weight`."""
        rows, results = array.flatten(1), grad.flatten(2)
        grad_rows = torch.zeros_like(rows)
        width = weight.shape[1]
        for output, runs in enumerate(self.axes.runs):
            for run in runs:
                columns = slice(run.start * width, (run.start + run.length) * width)
                taps = slice(run.first, run.first + run.length)
                result = results[:, output]
                grad_rows[:, columns].addmm_(result, weight[taps].flatten(0, 1).t())
                if grad_weight is not None:
                    grad_weight[taps].flatten(0, 1).addmm_(rows[:, columns].t(), result)
        return grad_rows.view_as(array)

    def reference(self, array: Tensor, weight: Tensor) -> Tensor:
        """Correlate by operations that can be differentiated any number of times."""
        rows, width = array.flatten(1), weight.shape[1]
        results = []
        for runs in self.axes.runs:
            parts = [
                rows[:, run.start * width : (run.start + run.length) * width]
                @ weight[run.first : run.first + run.length].flatten(0, 1)
                for run in runs
            ]
            results.append(torch.stack(parts).sum(0))
        return torch.stack(results, 1).unflatten(2, (self.axes.outputs[1], -1))


PRODUCTS: dict[str, type[AttributeProduct]] = {"conv": ConvolvedProduct, "band": BandedProduct}
