"""Frame convolutions of small maps: patches mixed by the atoms give what filters give."""

from __future__ import annotations

import pytest
import torch

from structnets.nn import FrameConv1d, FrameConv2d
from structnets.nn._frame_convolution import FrameConvolution
from structnets.nn._patch_mixing import mixes_patches

SMALL_MAPS = {
    "plain": {"padding": 1},
    "bias": {"padding": 1, "bias": True},
    "strided": {"padding": 1, "stride": (2, 1)},
    "dilated": {"padding": 2, "dilation": (2, 1)},
    "same": {"padding": "same", "kernel_size": (3, 2)},
    "valid": {"padding": "valid"},
    "circular": {"padding": 1, "padding_mode": "circular", "stride": 2},
    "redundant": {"padding": 1, "frame": "gauss15"},
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("geometry", SMALL_MAPS)
def test_patches_are_mixed_on_small_maps_with_the_same_result(geometry: str, last: bool) -> None:
    torch.manual_seed(0)
    options = {"kernel_size": 3, "bias": False, "frame": "framelet", **SMALL_MAPS[geometry]}
    layer = FrameConv2d(3, 96, **options, dtype=torch.float64)
    plain = layer.collapse()
    layout = torch.channels_last if last else torch.contiguous_format
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64).contiguous(memory_format=layout)
    x.requires_grad_(True)
    assert mixes_patches(layer, x)
    out, expected = layer(x), plain(x)
    torch.testing.assert_close(out, expected)
    assert out.stride() == expected.stride()
    upstream = torch.randn_like(out)
    gradients = torch.autograd.grad(out, (x, *layer.parameters()), upstream)
    plainly = torch.autograd.grad(expected, (x, *plain.parameters()), upstream)
    dual = torch.tensor(layer.frame.matrix)
    torch.testing.assert_close(gradients[0], plainly[0])
    torch.testing.assert_close(gradients[1], plainly[1].flatten(2) @ dual.T)
    torch.testing.assert_close(gradients[2:], plainly[2:])


def test_patches_have_second_derivatives() -> None:
    torch.manual_seed(0)
    layer = FrameConv2d(1, 8, 3, padding=1, dtype=torch.float64)
    x = torch.randn(1, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    assert mixes_patches(layer, x)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


@pytest.mark.parametrize(
    ("layer", "maps"),
    [
        (FrameConv2d(3, 96, 3, padding=1), torch.zeros(2, 3, 8, 8)),
        (FrameConv2d(4, 96, 3, padding=1, groups=2), torch.zeros(1, 4, 2, 2)),
        (FrameConv2d(3, 96, 3, padding=1), torch.zeros(3, 2, 2)),
        (FrameConv2d(3, 96, 3, padding=1), torch.zeros(0, 3, 2, 2)),
        (FrameConv1d(3, 96, 3, padding=1), torch.zeros(1, 3, 4)),
    ],
    ids=["large", "groups", "unbatched", "empty", "lines"],
)
def test_other_maps_are_convolved_with_filters(layer: FrameConvolution, maps: torch.Tensor) -> None:
    assert not mixes_patches(layer, maps)
    assert layer(maps).shape == layer.collapse()(maps).shape


def test_what_is_traced_mixes_filters() -> None:
    layer, x = FrameConv2d(3, 96, 3, padding=1), torch.randn(2, 3, 4, 3)
    assert mixes_patches(layer, x)
    traced = torch.fx.symbolic_trace(layer)
    torch.testing.assert_close(traced(x), layer(x))
    assert "unfold" not in traced.code


def test_too_small_maps_are_refused_as_torch_does() -> None:
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        FrameConv2d(3, 96, 3)(torch.zeros(1, 3, 2, 2))
