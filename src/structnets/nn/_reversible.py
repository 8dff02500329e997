"""Training a chain of invertible blocks without storing its activations.

Each block is one node of the autograd graph. The forward pass keeps the output of the chain only,
in a node at its end; in the backward pass every node recovers its input from its output, which the
node behind it left on a shared `_Tape`, and evaluates F once more to differentiate it. Memory is
that of one block whatever the depth; the price is one extra evaluation of every F.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn.modules import module
from torch.nn.modules.lazy import LazyModuleMixin
from torch.utils.module_tracker import ModuleTracker

from structnets.nn._derivatives import differentiable_once
from structnets.nn._modes import is_transformed
from structnets.nn._module_state import unwanted_tensors, without_hooks
from structnets.nn._recorded_convolution import NarrowOutputs, Outputs, flat, refilled
from structnets.nn._replay import record, survey_states
from structnets.nn.invertible_block import InvertibleBlock, writes
from structnets.nn.streams import Streams

_REMEDY = "build the InvertibleSequential with reversible=False"
# An output is narrow that has at most this part of a stream's numbers.
_NARROW = 4


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
    @differentiable_once(f"for second derivatives {_REMEDY}")
    def backward(ctx: Any, grad_y: Tensor, grad_y_tilde: Tensor) -> tuple[Tensor | None, ...]:
        ctx.tape.streams = ctx.saved_tensors
        return None, grad_y, grad_y_tilde


class _BlockNode(torch.autograd.Function):
    """``S x + F(x~)`` of one block.

    The tensors that F reads, its parameters and the condition, are inputs, so that hooks on them
    (DDP) run. ``S x~``, the other output of the block, goes round the node: autograd then adds up
    the two gradients of x~ in place.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, x: Tensor, x_tilde: Tensor, *tensors: Tensor) -> Tensor:
        ctx.call, ctx.stream_dtype = call, x.dtype
        ctx.tensors = tensors
        residual, outputs = call.record(x_tilde.detach())
        ctx.calls = {layer: len(of) for layer, of in outputs.items()}
        ctx.save_for_backward(*flat(outputs))
        return call.block.add(x, residual)

    @staticmethod
    @differentiable_once(f"for second derivatives {_REMEDY}")
    def backward(ctx: Any, grad_y_tilde: Tensor) -> tuple[Tensor | None, ...]:
        call: _Call = ctx.call
        if is_transformed():
            raise RuntimeError(
                "torch.vmap does not reach the backward pass of a chain that recomputes: use "
                f"is_grads_batched=True, torch.func on the chain itself, or {_REMEDY}"
            )
        call.check_unchanged()
        # Backward may be called in inference mode, whose tensors could not be differentiated.
        with torch.inference_mode(False), torch.no_grad(), call.frozen_as_before():
            x, grads = call.go_back(ctx, grad_y_tilde)
        if x is not None:
            call.tape.streams = x
        grad_x = call.block.rearrange.inverse(grad_y_tilde).to(ctx.stream_dtype)
        return None, grad_x, *grads


class _Call:
    """One call of a block: what its node needs besides tensors."""

    def __init__(
        self,
        block: InvertibleBlock,
        tape: _Tape,
        is_first: bool,
        condition: Sequence[Any],
        keeps: bool,
    ) -> None:
        self.states, parameters = survey_states(block.residual)
        check_residual(self.states)
        self.block, self.tape, self.is_first, self.keeps = block, tape, is_first, keeps
        self.function, self.condition = block.guarded_residual(), condition
        self.asked = [c for c in condition if isinstance(c, Tensor) and c.requires_grad]
        self.tensors = (*self.asked, *parameters)

    def record(self, x_tilde: Tensor) -> tuple[Tensor, Outputs]:
        """Evaluate F and note how, without holding on to the arguments that have nodes.

        Returns its value, and the narrow outputs of convolutions in it that are to be kept.
        """
        narrow = NarrowOutputs(self.states, x_tilde.numel() // _NARROW) if self.keeps else None
        out, self.recording = record(
            self.block.residual,
            self.function,
            x_tilde,
            *self.condition,
            states=self.states,
            narrow=narrow,
        )
        changed = {id(tensor.held) for tensor in self.recording.buffers}
        read = [t for t in (*self.tensors, *unwanted_tensors(self.states)) if id(t) not in changed]
        self.read = [(tensor, writes(tensor), tensor.requires_grad) for tensor in read]
        return out, narrow.outputs() if narrow else {}

    @contextlib.contextmanager
    def frozen_as_before(self) -> Iterator[None]:
        """Let those tensors want a gradient that wanted one in the forward pass, and no others."""
        other = [t for t, _, wanted in self.read if t.is_leaf and t.requires_grad != wanted]
        for tensor in other:
            tensor.requires_grad_(not tensor.requires_grad)
        try:
            yield
        finally:
            for tensor in other:
                tensor.requires_grad_(not tensor.requires_grad)

    def go_back(
        self, ctx: Any, grad_y_tilde: Tensor
    ) -> tuple[Streams | None, tuple[Tensor | None, ...]]:
        """Return the block's input, unless it is the chain's, and the gradients of what F reads."""
        y, y_tilde = self.tape.streams
        rearrange = self.block.rearrange
        x_tilde = rearrange.inverse(y).detach()
        x_tilde.requires_grad_(ctx.needs_input_grad[2])
        with torch.enable_grad():
            condition, read = self.fresh_condition(ctx.tensors)
            instead = without_hooks(read)
            inputs = (x_tilde, *(instead.get(id(tensor), tensor) for tensor in read))
            outputs = refilled(ctx.calls, ctx.saved_tensors)
            residual = self.recording.replay(
                self.function, x_tilde, *condition, instead=instead, outputs=outputs
            )
        # The first block's input is nobody's output: it is not needed.
        del self.tape.streams
        streams = None
        if not self.is_first:
            x = rearrange.inverse(y_tilde - residual.detach()).to(ctx.stream_dtype)
            streams = x, x_tilde.detach()
        root, dtype = _root(residual), residual.dtype
        del y, y_tilde, residual  # values that the graph of F does not need
        self.check_graph(root, inputs)
        return streams, _gradients(root, inputs, grad_y_tilde.to(dtype))

    def fresh_condition(self, tensors: Sequence[Tensor]) -> tuple[list[Any], list[Tensor]]:
        """Return the condition as leaves of a new graph, and all tensors that F reads."""
        leaves = iter([t.detach().requires_grad_() for t in self.asked])
        read = []
        condition = []
        for one in self.condition:
            if isinstance(one, Tensor) and one.requires_grad:
                read.append(next(leaves))
                condition.append(read[-1])
            else:
                condition.append(one)
        return condition, [*read, *tensors[len(read) :]]

    def check_unchanged(self) -> None:
        """Refuse to differentiate with other weights or buffers than the forward pass had."""
        for tensor, count, _ in self.read:
            if writes(tensor) != count:
                raise RuntimeError(
                    f"a tensor of shape {tuple(tensor.shape)} that {self.name} reads was modified "
                    "by an inplace operation between forward and backward pass: go backward before "
                    "an optimizer's step"
                )

    def check_graph(self, root: GradientEdge | None, inputs: Iterable[Tensor]) -> None:
        """Refuse an F that reads a tensor wanting a gradient that is no input of its node."""
        leaves = {id(t) for t in inputs if t.is_leaf}
        waiting, seen = ([] if root is None else [root.node]), {t.grad_fn for t in inputs}
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            variable = getattr(node, "variable", None)
            if isinstance(variable, Tensor) and id(variable) not in leaves:
                raise RuntimeError(
                    f"{self.name} reads a tensor of shape {tuple(variable.shape)} that wants a "
                    "gradient and is neither its argument nor an attribute of one of its modules, "
                    "so reversible training would lose its gradient: register it, hand it to the "
                    f"chain as a further argument, or {_REMEDY}"
                )
            waiting += [following for following, _ in node.next_functions if following is not None]

    @property
    def name(self) -> str:
        """What an error calls F."""
        return f"{type(self.block.residual).__name__}, the residual function F of a block,"


def check_residual(parts: Iterable[nn.Module]) -> None:
    """Refuse a residual function whose parts cannot be given what they held before.

    Raises
    ------
    RuntimeError
        For compiled TorchScript, and weights that are not there yet.
    """
    if any(isinstance(getattr(hook, "__self__", None), ModuleTracker) for hook in _hooks_of_all()):
        raise RuntimeError(
            "FlopCounterMode and other trackers of modules cannot follow functions that are called "
            f"again in the backward pass: {_REMEDY}"
        )
    for part in parts:
        if isinstance(part, torch.jit.ScriptModule):
            raise RuntimeError(
                f"reversible training cannot put back what a TorchScript module holds: {_REMEDY}"
            )
        if isinstance(part, LazyModuleMixin):
            raise RuntimeError(
                f"{type(part).__name__} has no weights before its first call: call the chain once "
                "under torch.no_grad() before it is trained"
            )


def _hooks_of_all() -> Iterable[Any]:
    return list(module._global_forward_pre_hooks.values())


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


@torch.compiler.disable(reason=f"reversible training runs uncompiled; to compile it, {_REMEDY}")
def run_reversibly(
    blocks: Sequence[InvertibleBlock],
    streams: Streams,
    condition: Sequence[Any] = (),
    keeping: int = 0,
) -> Streams:
    """Apply `blocks` in turn, storing the activations of none.

    Gradients equal plain autograd's up to the rounding of the recovered inputs. A compiled
    model runs this part uncompiled (a residual function may be compiled by itself).

    Parameters
    ----------
    blocks : sequence of InvertibleBlock
        A chain; weights may be shared between blocks.
    streams : pair of Tensor
        Input (B, C, H, W) of the first block.
    condition : sequence
        Further arguments of every F.
    keeping : int
        Of so many blocks at the end the narrow outputs of convolutions are kept.

    Returns
    -------
    pair of Tensor
        Output of the last block.
    """
    tape, is_first = _Tape(), True
    x, x_tilde = streams
    for left, block in zip(range(len(blocks), 0, -1), blocks, strict=True):
        call = _Call(block, tape, is_first, condition, keeps=left <= keeping)
        if not any(t.requires_grad for t in (x, x_tilde, *call.tensors)):
            x, x_tilde = block((x, x_tilde), *condition)  # nothing to store
            continue
        y_tilde = _BlockNode.apply(call, x, x_tilde, *call.tensors)
        x, x_tilde, is_first = block.rearrange(x_tilde), y_tilde, False
    return (x, x_tilde) if is_first else _EndNode.apply(tape, x, x_tilde)
