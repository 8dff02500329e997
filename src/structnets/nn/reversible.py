"""Training a chain of invertible blocks without storing its activations.

Each block is one node of the autograd graph. The forward pass keeps the output of the chain only,
in a node at its end; in the backward pass every node recovers its input from its output, which the
node behind it left on a shared `_Tape`, and evaluates F once more to differentiate it. Memory is
that of one block whatever the depth; the price is one extra evaluation of every F.
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

    streams: Streams


class _EndNode(torch.autograd.Function):
    """The end of the chain, where the tape of the backward pass begins."""

    @staticmethod
    def forward(ctx: Any, tape: _Tape, y: Tensor, y_tilde: Tensor) -> Streams:
        ctx.tape = tape
        ctx.save_for_backward(y, y_tilde)
        return y, y_tilde

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_y_tilde: Tensor) -> tuple[Tensor | None, ...]:
        ctx.tape.streams = ctx.saved_tensors
        return None, grad_y, grad_y_tilde


class _BlockNode(torch.autograd.Function):
    """``S x + F(x~)`` of one block; its parameters are inputs, so that their hooks (DDP) run.

    ``S x~``, the other output of the block, goes round the node: autograd then adds up the two
    gradients of x~ in place.
    """

    @staticmethod
    def forward(
        ctx: Any,
        tape: _Tape,
        block: InvertibleBlock,
        is_first: bool,
        x: Tensor,
        x_tilde: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.tape, ctx.block, ctx.is_first = tape, block, is_first
        ctx.parameters, ctx.stream_dtype = parameters, x.dtype
        ctx.function = block.guarded_residual()
        residual, ctx.recording = record(block.residual, ctx.function, x_tilde.detach())
        return block.add(x, residual)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y_tilde: Tensor) -> tuple[Tensor | None, ...]:
        y, y_tilde = ctx.tape.streams
        rearrange = ctx.block.rearrange
        x_tilde = rearrange.inverse(y).detach()
        x_tilde.requires_grad_(ctx.needs_input_grad[4])
        with torch.enable_grad():
            residual = ctx.recording.replay(ctx.function, x_tilde)
        # The first block's input is nobody's output: it is not needed.
        del ctx.tape.streams
        if not ctx.is_first:
            x = rearrange.inverse(y_tilde - residual.detach()).to(ctx.stream_dtype)
            ctx.tape.streams = x, x_tilde.detach()
        root, dtype = _root(residual), residual.dtype
        del y, y_tilde, residual  # values that the graph of F does not need
        grads = _gradients(root, (x_tilde, *ctx.parameters), grad_y_tilde.to(dtype))
        grad_x = rearrange.inverse(grad_y_tilde).to(ctx.stream_dtype)
        return None, None, None, grad_x, *grads


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
    tape = _Tape()
    x, x_tilde = streams
    for i, block in enumerate(blocks):
        parameters = tuple(block.residual.parameters())
        y_tilde = _BlockNode.apply(tape, block, i == 0, x, x_tilde, *parameters)
        x, x_tilde = block.rearrange(x_tilde), y_tilde
    return _EndNode.apply(tape, x, x_tilde)
