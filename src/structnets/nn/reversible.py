"""Training a chain of invertible blocks without storing its activations.

Each block is one node of the autograd graph. The forward pass keeps the output of the last block
only; in the backward pass every node recovers its input from its output, which the node behind
it left on a shared `_Tape`, and evaluates F once more to differentiate it. Memory is that of one
block whatever the depth; the price is one extra evaluation of every F.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.autograd.graph import GradientEdge, get_gradient_edge

from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.replay import record
from structnets.nn.streams import Streams


class _Tape:
    """The streams between the node that was differentiated last and the one before it."""

    streams: Streams | None = None


class _BlockNode(torch.autograd.Function):
    """One block: its parameters are inputs of the node, so that their hooks (DDP) run."""

    @staticmethod
    def forward(
        ctx: Any,
        tape: _Tape,
        block: InvertibleBlock,
        place: tuple[bool, bool],
        x: Tensor,
        x_tilde: Tensor,
        *parameters: Tensor,
    ) -> Streams:
        ctx.tape, ctx.block, (ctx.is_first, ctx.is_last) = tape, block, place
        ctx.parameters, ctx.stream_dtype = parameters, x.dtype
        ctx.function = block.guarded_residual()
        residual, ctx.recording = record(block.residual, ctx.function, x_tilde.detach())
        y = block.rearrange(x_tilde)
        y_tilde = block.add(x, residual)
        if ctx.is_last:
            ctx.save_for_backward(y, y_tilde)
        return y, y_tilde

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_y_tilde: Tensor) -> tuple[Tensor | None, ...]:
        y, y_tilde = ctx.saved_tensors if ctx.is_last else ctx.tape.streams
        rearrange = ctx.block.rearrange
        x_tilde = rearrange.inverse(y).detach()
        x_tilde.requires_grad_(ctx.needs_input_grad[4])
        with torch.enable_grad():
            residual = ctx.recording.replay(ctx.function, x_tilde)
        # The first block's input is nobody's output: it is not needed.
        ctx.tape.streams = None
        if not ctx.is_first:
            x = rearrange.inverse(y_tilde - residual.detach()).to(ctx.stream_dtype)
            ctx.tape.streams = x, x_tilde.detach()
        root, dtype = _root(residual), residual.dtype
        del y, y_tilde, residual  # values that the graph of F does not need
        grads = _gradients(root, (x_tilde, *ctx.parameters), grad_y_tilde.to(dtype))
        grad_x_tilde = rearrange.inverse(grad_y)
        if grads[0] is not None:
            grad_x_tilde = grad_x_tilde + grads[0]
        grad_x = rearrange.inverse(grad_y_tilde).to(ctx.stream_dtype)
        return None, None, None, grad_x, grad_x_tilde, *grads[1:]


def _root(residual: Tensor) -> GradientEdge | None:
    """Return where the graph of F begins, which does not hold on to F's value."""
    return get_gradient_edge(residual) if residual.requires_grad else None


def _gradients(
    root: GradientEdge | None, inputs: Sequence[Tensor], grad: Tensor
) -> tuple[Tensor | None, ...]:
    """Differentiate F with respect to those inputs that want a gradient; None for the others."""
    wanted = [tensor for tensor in inputs if tensor.requires_grad]
    if root is None or not wanted:
        return (None,) * len(inputs)
    found = iter(torch.autograd.grad(root, wanted, grad, allow_unused=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in inputs)


@torch.compiler.disable
def run_reversibly(blocks: Sequence[InvertibleBlock], streams: Streams) -> Streams:
    """Apply `blocks` in turn, storing the activations of none.

    Gradients equal plain autograd's up to the rounding of the recovered inputs. A compiled
    model runs this part uncompiled (a residual function may be compiled by itself).

    Parameters
    ----------
    blocks : sequence of InvertibleBlock
        A chain; weights may be shared between blocks.
    streams : pair of Tensor
        Input (B, C, H, W) of the first block.

    Returns
    -------
    pair of Tensor
        Output of the last block.
    """
    tape, last = _Tape(), len(blocks) - 1
    for i, block in enumerate(blocks):
        place = (i == 0, i == last)
        parameters = tuple(block.residual.parameters())
        streams = _BlockNode.apply(tape, block, place, *streams, *parameters)
    return streams
