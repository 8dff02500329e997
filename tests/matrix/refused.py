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
REFUSED["DynamicSteerableBlock", "second derivatives"] = Refusal(
    "angle_damping=0",
    "the gradient of its angles is damped on purpose and so is nobody's derivative; "
    "with `angle_damping=0` it is, and differentiates again",
)
REFUSED["FrameConvTranspose2d", "fx"] = Refusal(
    "Proxy object cannot be iterated",
    "`torch.fx.symbolic_trace` of the layer alone takes the optional `output_size` for an input, "
    "as it does for `nn.ConvTranspose2d`",
)
