"""3D-RFNiN and 3D-NiN: atoms per block, cached responses, recomputation, error paths."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from structnets.models import create_model
from structnets.models.rfnin3d import VolumeBlock, VolumeNet, nin_3d, rfnin_3d
from structnets.nn import GaussianConv3d

TINY = {"width": 1 / 16, "voxel_mm": 4.0}


@pytest.fixture
def volumes() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2, 1, 12, 14, 12)


@pytest.fixture
def model() -> VolumeNet:
    torch.manual_seed(1)
    return rfnin_3d(**TINY)


def layers_of(model: nn.Module) -> list[GaussianConv3d]:
    return [layer for layer in model.modules() if isinstance(layer, GaussianConv3d)]


def gradients(model: VolumeNet, logits: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(logits.logsumexp(1).sum(), list(model.parameters())))


def test_collapsed_net_gives_the_same_logits(volumes: torch.Tensor) -> None:
    model = rfnin_3d(**TINY, sigmas=(2.0, 4.0), scales=(2, 1, 1))
    plain = copy.deepcopy(model)
    for block in plain.features:
        assert isinstance(block, VolumeBlock)
        assert isinstance(block.conv, GaussianConv3d)
        block.conv = block.conv.collapse()
    torch.testing.assert_close(model(volumes), plain(volumes), rtol=1e-4, atol=1e-5)


def test_fixed_stage_gives_the_same_step(model: VolumeNet, volumes: torch.Tensor) -> None:
    """One tensor per volume, computed once."""
    logits = model([model.fixed_stage(volume[None])[0] for volume in volumes])
    torch.testing.assert_close(logits, model(volumes))
    pairs = zip(gradients(model, logits), gradients(model, model(volumes)), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_recomputation_changes_no_gradient(volumes: torch.Tensor) -> None:
    torch.manual_seed(1)
    plain = rfnin_3d(**TINY)
    saving = rfnin_3d(**TINY, recompute=True)
    saving.load_state_dict(plain.state_dict())
    expected = gradients(plain, plain(volumes))
    for inputs in (volumes, saving.fixed_stage(volumes)):
        for one, other in zip(gradients(saving, saving(inputs)), expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [rfnin_3d, nin_3d])
def test_blocks_are_their_layers_one_by_one(build, volumes: torch.Tensor) -> None:
    """Logits and gradients as of the plain modules of the thesis' description."""
    torch.manual_seed(1)
    model = build(width=1 / 16)
    maps = volumes
    for block in model.features:
        maps = block.cccp(block.conv(maps).relu()).relu()
        maps = nn.functional.max_pool3d(maps, 2)
    logits = model.head(maps.mean((2, 3, 4)))
    torch.testing.assert_close(model(volumes), logits, rtol=1e-5, atol=1e-6)
    pairs = zip(gradients(model, model(volumes)), gradients(model, logits), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [rfnin_3d, nin_3d])
def test_every_parameter_is_trained(build, volumes: torch.Tensor) -> None:
    torch.manual_seed(1)
    model = build(width=1 / 16)
    found = gradients(model, model(volumes))
    assert all(float(gradient.abs().max()) > 0 for gradient in found)


def sizes_of(model: VolumeNet, maps: torch.Tensor) -> list[tuple[int, ...]]:
    """Return channels, depth, height and width after each block."""
    sizes = []
    for block in model.features:
        maps = block(maps)
        sizes.append(tuple(maps.shape[1:]))
    return sizes


@pytest.mark.parametrize(("name", "atoms"), [("rfnin_3d", [58, 39, 20]), ("rfnin_3d_58", [58] * 3)])
def test_atoms_per_block(name: str, atoms: list[int]) -> None:
    with torch.device("meta"):
        layers = layers_of(create_model(name))
    assert [len(layer.basis) for layer in layers] == atoms
    assert layers[0].basis.sigmas == (1, 4, 16)


def test_scales_follow_the_voxel() -> None:
    with torch.device("meta"):
        layers = layers_of(create_model("rfnin_3d_small"))
    assert [layer.basis.sigmas for layer in layers] == [(1, 2, 8), (1, 2), (1,)]
    assert [layer.out_channels for layer in layers] == [32, 24, 24]


def test_maps_of_the_thesis_volumes() -> None:
    with torch.device("meta"):
        model = nin_3d()
        maps = torch.empty(1, 1, 91, 109, 91)
    assert sizes_of(model, maps) == [(128, 45, 54, 45), (96, 22, 27, 22), (96, 11, 13, 11)]


def test_both_nets_have_the_same_maps(model: VolumeNet, volumes: torch.Tensor) -> None:
    assert sizes_of(model, volumes) == sizes_of(nin_3d(width=1 / 16), volumes)


def test_coarse_grids_change_the_logits_little(volumes: torch.Tensor) -> None:
    options = {**TINY, "support": 5.0}
    torch.manual_seed(1)
    exact = rfnin_3d(**options)
    coarse = rfnin_3d(**options, coarse=0.5)
    coarse.load_state_dict(exact.state_dict())
    assert len(layers_of(coarse)[0].grids((24, 28, 24))) == 2
    torch.testing.assert_close(coarse(volumes), exact(volumes), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    "build", [lambda: nin_3d(width=1 / 16), lambda: rfnin_3d(**TINY, coarse=0.5)]
)
def test_other_first_layers_have_no_fixed_stage(build, volumes: torch.Tensor) -> None:
    assert build().fixed_stage(volumes) is None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rfnin_3d(scales=(4, 2, 1)), r"three numbers from 1 to 3, got \[4, 2, 1\]"),
        (lambda: rfnin_3d(widths=(8, 8)), r"widths must have one value per block \(3\)"),
        (lambda: rfnin_3d(width=0), "width must be > 0, got 0"),
        (lambda: rfnin_3d(voxel_mm=-2), "voxel_mm must be > 0, got -2"),
        (lambda: rfnin_3d(voxel_mm=16), r"voxel_mm 16 leaves equal scales: \[1.0, 1.0, 2.0\]"),
        (lambda: nin_3d(kernel_size=4), "kernel_size must be odd and positive, got 4"),
    ],
)
def test_bad_options_are_named(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
