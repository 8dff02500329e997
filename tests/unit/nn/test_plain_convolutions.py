"""Plain convolutions by other ways are PyTorch's: `VolumeConvolution` and `WideConvolution`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import _volume_convolution, _wide_convolution
from structnets.nn._volume_convolution import VolumeConvolution
from structnets.nn._wide_convolution import WideConvolution

Case = tuple[type[nn.Module], dict[str, Any], tuple[int, ...], str]
# Options of a layer, shape of its input, and the part of it that is not PyTorch's own.
CASES: dict[str, Case] = {}
for title, options, shape, part in [
    ("cube", {"kernel_size": 5, "padding": 2}, (2, 8, 6, 7, 5), "slices"),
    ("no padding", {"kernel_size": 3}, (2, 9, 6, 7, 5), "slices"),
    ("box", {"kernel_size": (1, 3, 2), "padding": (2, 0, 1)}, (2, 8, 4, 5, 6), "slices"),
    ("no bias", {"kernel_size": 3, "padding": 1, "bias": False}, (1, 8, 3, 3, 3), "slices"),
    ("few channels", {"kernel_size": 3, "padding": 1}, (2, 2, 4, 5, 6), "patches"),
    ("flat patches", {"kernel_size": (1, 2, 3), "padding": (0, 1, 2)}, (3, 1, 4, 5, 6), "patches"),
    ("deep padding", {"kernel_size": 3, "padding": 4, "bias": False}, (2, 3, 2, 3, 4), "patches"),
    ("some channels", {"kernel_size": 3, "padding": 1}, (2, 5, 4, 5, 6), ""),
    ("same", {"kernel_size": 5, "padding": 2}, (2, 8, 6, 7, 5), "frequencies"),
    ("full", {"kernel_size": (3, 4, 2), "padding": (2, 3, 1)}, (3, 8, 4, 3, 6), "frequencies"),
    ("valid", {"kernel_size": (2, 3, 5), "bias": False}, (2, 9, 6, 7, 6), "frequencies"),
    ("wider than the volume", {"kernel_size": 5, "padding": 3}, (2, 8, 1, 2, 3), "frequencies"),
    ("strided", {"kernel_size": 3, "padding": 1, "stride": 2}, (2, 8, 5, 5, 5), ""),
    ("groups", {"kernel_size": 3, "padding": 1, "groups": 2}, (2, 8, 5, 5, 5), ""),
    ("padding by name", {"kernel_size": 3, "padding": "same"}, (2, 8, 5, 5, 5), ""),
    ("one volume", {"kernel_size": 3, "padding": 1}, (8, 4, 5, 6), ""),
    ("no volume", {"kernel_size": 3, "padding": 1}, (0, 8, 4, 5, 6), ""),
]:
    CASES[f"3d, {title}"] = (VolumeConvolution, options, shape, part)
for title, options, shape, part in [
    ("full", {"kernel_size": 7, "padding": 6}, (4, 32, 9, 9), "frequencies"),
    ("even period", {"kernel_size": 6, "padding": 3}, (4, 32, 5, 5), "frequencies"),
    ("rectangle", {"kernel_size": (7, 5), "padding": (2, 4)}, (9, 32, 6, 9), "frequencies"),
    ("valid", {"kernel_size": 5, "bias": False}, (8, 32, 12, 11), "frequencies"),
    ("narrow filters", {"kernel_size": 3, "padding": 1}, (4, 32, 9, 9), ""),
    ("few channels", {"kernel_size": 5, "padding": 2}, (4, 2, 9, 7), "patches"),
    ("wide padding", {"kernel_size": 7, "padding": 8}, (4, 32, 9, 9), ""),
    ("strided", {"kernel_size": 7, "padding": 6, "stride": 2}, (4, 32, 9, 9), ""),
    ("circular", {"kernel_size": 7, "padding": 3, "padding_mode": "circular"}, (4, 32, 9, 9), ""),
    ("one map", {"kernel_size": 7, "padding": 6}, (32, 9, 9), ""),
    ("no map", {"kernel_size": 7, "padding": 6}, (0, 32, 9, 9), ""),
]:
    CASES[f"2d, {title}"] = (WideConvolution, options, shape, part)
WIDE, CUBE, PATCHES = "2d, full", "3d, cube", "2d, few channels"
WIDE_CUBE, CUBE_PATCHES = "3d, same", "3d, few channels"
WAYS = [CUBE, WIDE, PATCHES, WIDE_CUBE, CUBE_PATCHES]


def pair(name: str, outputs: int = 32) -> tuple[nn.Module, nn.Module, Tensor]:
    """Return a layer, PyTorch's of the same weights, and an input, in double precision."""
    kind, options, shape, part = CASES[name]
    volumes = kind is VolumeConvolution
    torch.manual_seed(0)
    channels = shape[-4 if volumes else -3]
    layer = kind(channels, outputs, **options).double()
    plain = (nn.Conv3d if volumes else nn.Conv2d)(channels, outputs, **options).double()
    plain.load_state_dict(layer.state_dict())
    return layer, plain, torch.randn(shape, dtype=torch.float64, requires_grad=part != "patches")


def found_by(layer: nn.Module, x: Tensor) -> list[Tensor]:
    out = layer(x)
    wanted = [*([x] if x.requires_grad else []), *layer.parameters()]
    return [out, *torch.autograd.grad(out.sin().sum(), wanted)]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of the layers was called since."""
    called: list[str] = []

    def watch(place: Any, name: str, part: str) -> None:
        function = getattr(place, name)

        def watched(*given: Any) -> Any:
            called.append(part)
            return function(*given)

        monkeypatch.setattr(place, name, watched)

    watch(_volume_convolution, "weight_gradient", "slices")
    for module in (_wide_convolution, _volume_convolution):
        watch(module._ByFrequencies, "apply", "frequencies")
        watch(module._ByPatches, "apply", "patches")
    return called


@pytest.mark.parametrize("name", CASES)
def test_output_and_gradients_are_those_of_pytorch(
    name: str, parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if CASES[name][3] == "frequencies":  # on maps that are too small to gain by it
        monkeypatch.setattr(_wide_convolution, "SLOWER", 0)
        monkeypatch.setattr(_volume_convolution, "SLOWER", 0)
    elif CASES[name][0] is VolumeConvolution:
        monkeypatch.setattr(_volume_convolution, "SLOWER", 1e9)
    layer, plain, x = pair(name)
    torch.testing.assert_close(found_by(layer, x), found_by(plain, x), rtol=1e-9, atol=1e-10)
    assert "".join(parts) == CASES[name][3]


def test_without_gradients_frequencies_serve_too(parts: list[str]) -> None:
    layer, plain, x = pair(WIDE)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), plain(x), rtol=1e-9, atol=1e-10)
    assert parts == ["frequencies"]


def test_spectra_that_would_fill_the_memory_are_not_made(
    monkeypatch: pytest.MonkeyPatch, parts: list[str]
) -> None:
    layer, plain, x = pair(WIDE)
    monkeypatch.setattr(_wide_convolution, "MOST_NUMBERS", 2 * 15 * 8 * (4 * 64 + 32 * 32) - 1)
    torch.testing.assert_close(layer(x), plain(x))
    assert parts == []


@pytest.mark.parametrize("name", [WIDE_CUBE, CUBE_PATCHES])
def test_volumes_that_would_fill_the_memory_are_left_to_pytorch(
    name: str, monkeypatch: pytest.MonkeyPatch, parts: list[str]
) -> None:
    monkeypatch.setattr(_volume_convolution, "SLOWER", 0)
    monkeypatch.setattr(_volume_convolution, "MOST_NUMBERS", 100)
    layer, plain, x = pair(name)
    torch.testing.assert_close(found_by(layer, x), found_by(plain, x))
    assert not {"frequencies", "patches"} & {*parts}


def test_patches_of_a_few_maps_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wide_convolution, "MOST_NUMBERS", 1)
    layer, plain, x = pair(PATCHES)
    torch.testing.assert_close(found_by(layer, x), found_by(plain, x), rtol=1e-9, atol=1e-10)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A case of each way, also where another would be faster."""
    if request.param == WIDE_CUBE:
        monkeypatch.setattr(_volume_convolution, "SLOWER", 0)
    return request.param


def test_each_way_is_taken(way: str, parts: list[str]) -> None:
    layer, _, x = pair(way)
    layer(x).sum().backward()
    assert "".join(parts) == CASES[way][3]


def test_frozen_parts_get_no_gradient(way: str) -> None:
    layer, _, x = pair(way)
    layer.get_parameter("bias").requires_grad_(False)
    layer(x.detach()).sum().backward()
    assert layer.get_parameter("weight").grad is not None
    assert layer.get_parameter("bias").grad is None
    assert x.grad is None


def test_second_derivatives(way: str) -> None:
    layer, _, x = pair(way, outputs=32 if way == WIDE else 3)
    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]

    def call(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        values = {"weight": weight, "bias": bias}
        return torch.func.functional_call(layer, values, (x,)).square().mean()

    assert torch.autograd.gradcheck(call, (x, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(call, (x, *weights), fast_mode=True)


def test_half_precision_compiled_and_batched(way: str) -> None:
    layer, plain, x = pair(way)
    expected = plain(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.float()(x.float()).dtype == torch.bfloat16
    found = torch.func.vmap(layer.double())(torch.stack([x.detach()] * 2))
    torch.testing.assert_close(found[1], expected, rtol=1e-9, atol=1e-10)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected, rtol=1e-9, atol=1e-10)


def test_maps_smaller_than_the_filters_are_refused_by_pytorch() -> None:
    with pytest.raises(RuntimeError, match="Kernel size"):
        WideConvolution(32, 32, 7)(torch.zeros(1, 32, 5, 5))


@pytest.mark.parametrize("channels", [2, 32])
def test_volumes_smaller_than_the_filters_are_refused_by_pytorch(channels: int) -> None:
    with pytest.raises(RuntimeError, match="Kernel size"):
        VolumeConvolution(channels, 32, 7)(torch.zeros(1, channels, 5, 5, 5))
