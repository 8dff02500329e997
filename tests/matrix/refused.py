"""The cells that are refused: by which sentence, and why it cannot be otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A sentence (a pattern of it), and the reason in the maths or in PyTorch."""

    sentence: str
    reason: str


_SYMBOLIC = Refusal(
    "symbolically traced variables|Proxy object cannot be iterated",
    "`torch.fx.symbolic_trace` records no sizes, which this layer reads; `torch.export` does",
)
REFUSED: dict[tuple[str, str], Refusal] = {
    (layer, "fx"): _SYMBOLIC
    for layer in (
        "GaussianConv3d",
        "DynamicSteerableBlock",
        "AttributeConv",
        "HierarchicalConv",
        "HierarchicalConv, (+)",
        "SpaceToDepth",
        "InjectivePad",
        "InvertibleSequential",
    )
}
REFUSED |= {
    (layer, "jit.script"): Refusal(
        "torch.jit.script cannot compile",
        "`torch.jit.script` reads a part of Python only, without `*args` or NumPy, and no layer of "
        "PyTorch's equals this one; `torch.jit.trace` and `torch.export` take it",
    )
    for layer in (
        "DynamicSteerableBlock",
        "AttributeConv",
        "HierarchicalConv",
        "HierarchicalConv, (+)",
        "InjectivePad",
        "InvertibleSequential",
    )
}
REFUSED["InvertibleSequential", "FlopCounterMode"] = Refusal(
    "reversible=False",
    "PyTorch's `ModuleTracker` cannot follow a function that is called again in the backward pass; "
    "with `reversible=False` nothing is",
)
REFUSED["DynamicSteerableBlock", "batched gradients"] = Refusal(
    "batched gradients",
    "PyTorch's older batching (`is_grads_batched`, `vectorize`) knows few operations; "
    "`torch.func` differentiates the block any number of times at once",
)
REFUSED["DynamicSteerableBlock", "second derivatives"] = Refusal(
    "angle_damping=0",
    "the gradient of its angles is damped on purpose and so is nobody's derivative; "
    "with `angle_damping=0` it is, and differentiates again",
)
REFUSED["rfnin_cifar", "vmap of grad"] = Refusal(
    "inside vmap is only supported with memory_format",
    "the net lays its images out channels last, which `torch.vmap` does not know",
)
REFUSED["FrameConvTranspose2d", "fx"] = Refusal(
    "Proxy object cannot be iterated",
    "`torch.fx.symbolic_trace` of the layer alone takes the optional `output_size` for an input, "
    "as it does for `nn.ConvTranspose2d`",
)
