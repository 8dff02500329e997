"""Gaussian and frame convolutions of any options equal the plain convolution of their filters."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call

from structnets.nn import (
    FrameConv1d,
    FrameConv2d,
    FrameConv3d,
    FrameConvTranspose1d,
    FrameConvTranspose2d,
    FrameConvTranspose3d,
    GaussianConv2d,
    GaussianConv3d,
)
from structnets.nn._evaluation import WAYS
from structnets.nn._frame_convolution import FrameConvolution
from structnets.nn._hybrid import WAYS as HYBRID_WAYS
from tests.matrix.variants.drawing import (
    AUTOCAST,
    DTYPES,
    assert_as,
    examples,
    gradients_of,
    outcome,
    tensor,
    within,
)

pytestmark = pytest.mark.slow
MODES = st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])
LAYOUTS = st.sampled_from(["contiguous", "channels_last", "turned", "spread"])
FREEZES = st.sampled_from(["nothing", "nothing", "weights", "bias", "input", "gradients"])


def per_axis(numbers: st.SearchStrategy[int], dims: int) -> st.SearchStrategy[Any]:
    """One number, or one for every axis."""
    return numbers | st.tuples(*[numbers] * dims)


@st.composite
def geometry(draw: st.DrawFn, dims: int, named: tuple[str, ...]) -> dict[str, Any]:
    """Channels, and the arguments of ``nn.Conv2d``."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    return {
        "in_channels": groups * draw(st.integers(1, 2)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "groups": groups,
        "stride": draw(per_axis(st.integers(1, 3), dims)),
        "dilation": draw(per_axis(st.sampled_from([1, 1, 2]), dims)),
        "padding": draw(st.sampled_from(named) | per_axis(st.integers(0, 3), dims)),
        "padding_mode": draw(MODES),
        "bias": draw(st.booleans()),
    }


@st.composite
def given_to(draw: st.DrawFn, dims: int) -> dict[str, Any]:
    """What the layer is given, and how."""
    return {
        "sizes": draw(st.tuples(*[st.sampled_from([1, 2, 3, 5, 8, 11][: 8 - dims])] * dims)),
        "batch": draw(st.sampled_from([None, 1, 2, 3])),
        "dtype": draw(DTYPES),
        "autocast": draw(AUTOCAST),
        "layout": draw(LAYOUTS),
        "frozen": draw(FREEZES),
        "inferred": draw(st.booleans()),
    }


def laid_out(x: Tensor, layout: str) -> Tensor:
    """Return the same numbers, otherwise in memory."""
    match layout:
        case "channels_last" if x.ndim == 4:
            return x.contiguous(memory_format=torch.channels_last)
        case "turned":
            return x.transpose(-1, -2).contiguous().transpose(-1, -2)
        case "spread":
            return torch.stack([x, x], -1)[..., 0]
    return x


def twin_of(layer: Any, x: Tensor) -> Tensor:
    """Convolve by PyTorch's layer with this one's filters; gradients reach this one's weights."""
    if isinstance(layer, FrameConvolution):
        build, options = layer.plain_type, layer._arguments(layer)
    else:
        build = nn.Conv2d if len(layer.kernel_size) == 2 else nn.Conv3d
        options = {name: getattr(layer, name) for name in FrameConvolution.geometry}
        options["bias"] = layer.bias is not None
    conv: Any = build(**options, device="meta")
    weights = {"weight": layer.kernel()} | ({} if layer.bias is None else {"bias": layer.bias})
    return functional_call(conv, weights, (x,))


def answers(call: Callable[[Tensor], Tensor], layer: Any, x: Tensor, use: dict[str, Any]) -> Any:
    """Return the output and the wanted gradients of a call, or its error."""
    with torch.set_grad_enabled(use["frozen"] != "gradients"):
        out = outcome(lambda: call(x))
    if isinstance(out, Exception):
        return out
    wanted = [t for t in (x, *layer.parameters()) if t.requires_grad]
    if not out.requires_grad or not out.numel():
        return [out]
    return [out, *gradients_of(out, wanted)]


def check(build: Callable[[], Any], use: dict[str, Any]) -> None:
    """Compare output and all gradients with the twin's, in double precision."""
    torch.manual_seed(0)
    layer = outcome(build)
    if isinstance(layer, Exception):
        assert isinstance(layer, ValueError), layer
        assert len(str(layer)) > 20, layer
        return
    frozen, cast = use["frozen"], use["autocast"]
    dtype = torch.float32 if cast else use["dtype"]
    for name, parameter in layer.named_parameters():
        nn.init.normal_(parameter, std=0.3) if name != "log_scale" else None
        parameter.requires_grad_(not (frozen == "bias" and name == "bias"))
        if frozen == "weights" and name != "bias":
            parameter.requires_grad_(False)
    layer = layer.to(dtype)
    exact, plain = copy.deepcopy(layer).double(), copy.deepcopy(layer)
    leading = () if use["batch"] is None else (use["batch"],)
    x = tensor((*leading, layer.in_channels, *use["sizes"])).to(dtype)
    given, same, other = (
        laid_out(x.to(kind), use["layout"]).detach().requires_grad_(frozen != "input")
        for kind in (dtype, dtype, torch.float64)
    )
    expected = answers(lambda maps: twin_of(exact, maps), exact, other, use)
    if use["inferred"]:  # caches made then serve what follows
        with torch.inference_mode(), within(cast):
            outcome(lambda: layer(given))
    with within(cast):
        found = answers(layer, layer, given, use)
        beside = answers(lambda maps: twin_of(plain, maps), plain, same, use)
    if isinstance(expected, Exception):
        # An empty output is an error of PyTorch's in some precisions, and none in others.
        assert isinstance(found, Exception) or not isinstance(beside, Exception), expected
        return
    if isinstance(found, Exception):
        assert isinstance(beside, Exception), f"the twin does it: {found}"
        return
    if isinstance(beside, Exception):
        return  # in half precision, which PyTorch lacks here and we need not
    for number, (one, two, three) in enumerate(zip(found, expected, beside, strict=True)):
        assert_as(one, two, three.dtype, f"number {number}", three, cast)


@st.composite
def gaussian_basis(draw: st.DrawFn, dims: int) -> dict[str, Any]:
    return {
        "order": draw(st.integers(0, 4 if dims == 2 else 3)),
        "sigmas": draw(st.sampled_from([0.7, 1.0, (1.3,), (0.8, 1.6), (0.6, 1.0, 2.0)])),
        "kernel_size": draw(st.none() | per_axis(st.sampled_from([1, 3, 5, 7]), dims)),
        "norm": draw(st.sampled_from(["scale", "none"])),
        "discretisation": draw(
            st.sampled_from(["sampled", "integrated", "hybrid", "hybrid_integrated"])
        ),
    }


@examples(220)
@given(
    geometry(2, ("same", "valid", "full")),
    gaussian_basis(2),
    st.sampled_from(["auto", "auto", *WAYS, *HYBRID_WAYS]),
    st.sampled_from([False, False, True, "group", "channel"]),
    given_to(2),
)
def test_gaussian_on_images(shape: Any, basis: Any, way: str, learned: Any, use: Any) -> None:
    options = {**shape, **basis, "way": way, "learn_sigma": learned}
    check(lambda: GaussianConv2d(**options), use)


@examples(90)
@given(geometry(3, ("same", "valid", "full")), gaussian_basis(3), given_to(3))
def test_gaussian_on_volumes(shape: Any, basis: Any, use: Any) -> None:
    check(lambda: GaussianConv3d(**shape, **basis), use)


@examples(120)
@given(
    geometry(2, ("same", "valid")),
    per_axis(st.integers(1, 5), 2),
    st.sampled_from(["gaussian", "framelet", "naive", "gauss15", "pixel", "image"]),
    given_to(2),
)
def test_frames(shape: Any, size: Any, frame: str, use: Any) -> None:
    check(lambda: FrameConv2d(kernel_size=size, frame=frame, **shape), use)


FRAMES = {
    1: (FrameConv1d, FrameConvTranspose1d),
    2: (FrameConvTranspose2d,),
    3: (FrameConv3d, FrameConvTranspose3d),
}


@examples(120)
@given(st.data(), st.sampled_from([1, 2, 3]))
def test_frames_of_other_kinds(data: st.DataObject, dims: int) -> None:
    build: Any = data.draw(st.sampled_from(FRAMES[dims]))
    shape, use = data.draw(geometry(dims, ("same", "valid"))), data.draw(given_to(dims))
    if "Transpose" in build.__name__:
        shape |= {"padding": data.draw(per_axis(st.integers(0, 2), dims)), "padding_mode": "zeros"}
        shape["output_padding"] = data.draw(per_axis(st.sampled_from([0, 0, 1]), dims))
    size = data.draw(per_axis(st.integers(1, 5 - dims // 2), dims))
    frame = data.draw(st.sampled_from(["gaussian", "framelet", "naive", "pixel"]))
    check(lambda: build(kernel_size=size, frame=frame, **shape), use)
