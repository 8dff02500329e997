"""A hierarchical convolution (Eq. 37) whose inner array is never kept.

The inner array, Q values for every place and attribute, is Q times its input. The
straightforward way writes and reads it some twenty times in a training step. Here it is made
for a few hundred places at a time from the small input, used while it lies in cache, and made
again in the backward pass. Batch normalisation between the factors is part of the linear map
(`structnets.nn._spatial_patches.patch_moments`), so nothing is spent on it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._attribute_axes import AttributeAxes
from structnets.nn._attribute_product import PRODUCTS
from structnets.nn._derivatives import needs_reference, reference_gradients
from structnets.nn._spatial_patches import Patches, Piece

# Bytes of the inner array made at a time: fits in a shared cache, feeds a matrix product.
PIECE_BYTES = 1 << 23


@dataclass(frozen=True)
class Fused:
    """What the evaluation needs besides tensors.

    Parameters
    ----------
    patches : Patches
        Spatial geometry.
    axes : AttributeAxes
        Attribute geometry; its sizes A B are the padded array's last axis.
    product : str
        One of `structnets.nn._attribute_product.PRODUCTS`.
    activation : bool
        Apply ELU to the inner array (the (+) variant).
    """

    patches: Patches
    axes: AttributeAxes
    product: str
    activation: bool

    def places(self, channels: int, element_size: int) -> int:
        """Return how many places to handle at a time."""
        return max(1, PIECE_BYTES // (self.patches.shape[3] * channels * element_size))


class _Workspace:
    """The patches and the inner array of one piece, in memory used for every piece."""

    def __init__(self, fused: Fused, padded: Tensor, lift: Tensor) -> None:
        self.fused, self.padded, self.lift = fused, padded, lift
        geometry, channels = fused.patches, lift.shape[1]
        most = fused.places(channels, padded.element_size())
        self.pieces = list(geometry.pieces(most))
        places = max((p.places.stop - p.places.start for p in self.pieces), default=0)
        largest = places * geometry.shape[3]
        self._patches = padded.new_empty(len(lift) * largest)
        self._inner = padded.new_empty(largest * channels)

    def fill(self, piece: Piece) -> tuple[Tensor, Tensor]:
        """Make the patches, a row of ones below, and the inner array (M, A, B, Q) of a piece."""
        fused, channels = self.fused, self.lift.shape[1]
        count = (piece.places.stop - piece.places.start) * fused.patches.shape[3]
        patches = self._patches[: len(self.lift) * count].view(len(self.lift), count)
        fused.patches.gather(self.padded, piece, patches[:-1])
        patches[-1] = 1
        inner = self._inner[: count * channels].view(count, channels)
        torch.mm(patches.t(), self.lift, out=inner)
        if fused.activation:
            functional.elu_(inner)
        return patches, inner.view(-1, *fused.axes.sizes, channels)


class _FusedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, padded: Tensor, lift: Tensor, weight: Tensor, fused: Fused, values: int
    ) -> Tensor:
        ctx.save_for_backward(padded, lift, weight)
        ctx.fused = fused
        batch, outputs = padded.shape[0], fused.patches.outputs
        out = padded.new_empty(batch, *outputs, *fused.axes.outputs, values)
        product = PRODUCTS[fused.product](fused.axes)
        workspace = _Workspace(fused, padded, lift)
        flat = out.flatten(0, 2)
        for piece in workspace.pieces:
            _, inner = workspace.fill(piece)
            product.forward(inner, weight, flat[piece.places])
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if needs_reference(grad):
            wanted = ctx.needs_input_grad[:3]
            _check_reference(ctx.saved_tensors[2], wanted[2], ctx.fused.product)
            reference = functools.partial(_reference, fused=ctx.fused)
            return *reference_gradients(reference, ctx.saved_tensors, wanted, grad), None, None
        padded, lift, weight = ctx.saved_tensors
        fused: Fused = ctx.fused
        need_padded, need_lift, need_weight = ctx.needs_input_grad[:3]
        grad_padded = torch.zeros_like(padded) if need_padded else None
        grad_lift = torch.zeros_like(lift) if need_lift else None
        grad_weight = torch.zeros_like(weight) if need_weight else None
        product = PRODUCTS[fused.product](fused.axes)
        workspace = _Workspace(fused, padded, lift)
        flat = grad.contiguous().flatten(0, 2)
        for piece in workspace.pieces:
            patches, inner = workspace.fill(piece)
            change = product.backward(inner, weight, flat[piece.places], grad_weight)
            if fused.activation:
                _elu_backward(change, inner)
            change = change.view(-1, lift.shape[1])
            if grad_lift is not None:
                grad_lift.addmm_(patches, change)
            if grad_padded is not None:
                fused.patches.scatter_add(lift[:-1] @ change.t(), piece, grad_padded)
        return grad_padded, grad_lift, grad_weight, None, None


def _check_reference(weight: Tensor, wanted: bool, product: str) -> None:
    """Refuse what PyTorch's convolution would refuse in words that name no remedy."""
    if (
        wanted
        and product == "conv"
        and weight.dtype == torch.float64
        and weight.device.type == "cpu"
        and len(weight) == 1
        and not weight.is_contiguous()
    ):
        raise RuntimeError(
            "PyTorch's convolution has no second derivatives of a single filter whose taps lie "
            "channels last, in float64 on a CPU: build the layer with way='fused-band' or "
            "'plain', or compute in float32"
        )


def _reference(padded: Tensor, lift: Tensor, weight: Tensor, fused: Fused) -> Tensor:
    """Evaluate by operations that can be differentiated any number of times."""
    patches = fused.patches.stacked(padded)
    inner = patches.t() @ lift[:-1] + lift[-1]
    if fused.activation:
        inner = functional.elu(inner)
    product = PRODUCTS[fused.product](fused.axes)
    out = product.reference(inner.view(-1, *fused.axes.sizes, lift.shape[1]), weight)
    return out.view(len(padded), *fused.patches.outputs, *out.shape[1:])


def _elu_backward(grad: Tensor, result: Tensor) -> None:
    """Multiply `grad` by ELU's slope, from ELU's result, in place."""
    torch.ops.aten.elu_backward.grad_input(grad, 1.0, 1.0, 1.0, True, result, grad_input=grad)


def fused_convolution(padded: Tensor, lift: Tensor, filters: Tensor, fused: Fused) -> Tensor:
    """Filter along space, perhaps apply ELU, then filter along the attributes and subsample.

    Parameters
    ----------
    padded : Tensor, shape (N, P1, P2, A B)
        Input, padded along space.
    lift : Tensor, shape (size^2 + 1, Q)
        Spatial filters, normalisation folded in; the last row is what is added to each.
    filters : Tensor, shape (K, Q, a, b)
        Attribute filters.
    fused : Fused
        Geometry.

    Returns
    -------
    Tensor, shape (N, U1', U2', A', B', K)
        Second derivatives are those of a slower evaluation.
    """
    weight = PRODUCTS[fused.product](fused.axes).prepare(filters)
    out = _FusedConvolution.apply(padded, lift, weight, fused, len(filters))
    assert isinstance(out, Tensor)
    return out
