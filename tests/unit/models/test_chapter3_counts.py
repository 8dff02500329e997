"""Parameter counts of chapter 3, beside the thesis' printed ones where a reading gives them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.bases.gaussian import GaussianBasis
from structnets.models.counting import (
    collapsed_parameters,
    count,
    spatial_filters,
    trained_parameters,
)
from structnets.models.entries import ENTRIES
from structnets.models.registry import create_model
from structnets.nn import GaussianConv2d

# Trained and collapsed weights of every entry of the chapter.
GOLDEN = {
    "rfnn_mnist": (81_152, 440_512),
    "rfnn_mnist_order3": (113_920, 440_512),
    "rfnn_hybrid": (81_152, 1_045_696),
    "rfnn_learned_scale": (81_155, 3_713_728),
    "cnn_b": (440_512, 440_512),
    "small_rfnn": (3_010, 16_726),
    "small_cnn": (16_726, 16_726),
    "cnn_b_5x5": (222_400, 222_400),
    "scattering": (0, 0),
    "standardized_voxels": (0, 0),
    "rfnin_order1": (1_876_356, 25_630_020),
    "rfnin_order2": (3_425_508, 25_630_020),
    "rfnin_order3": (5_491_044, 25_630_020),
    "rfnin_order4": (8_072_964, 25_630_020),
    "rfnin_scale1": (2_172_996, 17_000_004),
    "rfnin_scale2": (4_167_108, 17_000_004),
    "rfnin_scale3": (6_825_924, 17_000_004),
    "rfnin_scale4": (10_149_444, 17_000_004),
    "rfnin_scale3_wide": (6_825_924, 52_259_652),
    "rfnin_v2": (9_923_088, 22_927_376),
    "rfnin_bn": (15_469_032, 24_308_200),
    "nin_imagenet": (7_595_176, 7_595_176),
    "nin_cifar": (984_356, 984_356),
    "nin_refactor_layer1": (7_575_461, 7_595_176),
    "rfnin_refactor_layer1": (7_570_984, 7_595_176),
    "nin_refactor_all": (6_833_850, 17_000_004),
    "alexnet": (60_965_224, 60_965_224),
    "rfnin_cifar": (1_161_802, 2_851_210),
    "rfnin_3d": (706_626, 312_018_882),
    "rfnin_3d_58": (1_290_306, 19_742_977_986),
    "rfnin_3d_small": (45_714, 5_652_018),
    "nin_3d": (2_739_650, 2_739_650),
    "nin_3d_small": (174_386, 174_386),
}
# Printed millions that no reading of the net gives; the notes of the entries say so.
UNEXPLAINED = {"nin_refactor_layer1", "rfnin_refactor_layer1", "nin_refactor_all"}


def built(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, **options)


def test_every_entry_of_the_chapter_has_a_golden_count() -> None:
    assert {name for name, entry in ENTRIES.items() if entry.chapter == 3} == set(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_counts(name: str) -> None:
    model = built(name)
    assert (trained_parameters(model), collapsed_parameters(model)) == GOLDEN[name]


@pytest.mark.parametrize("name", [n for n in GOLDEN if ENTRIES[n].thesis_params])
def test_printed_counts_are_the_golden_ones_rounded_or_truncated(name: str) -> None:
    printed = ENTRIES[name].thesis_params or ""
    digits = len(printed.rstrip("M").partition(".")[2])
    unit = 10 ** (6 - digits)
    count, shown = GOLDEN[name][0], round(float(printed[:-1]) * 10**digits)
    agrees = shown in (count // unit, round(count / unit))
    # The thesis prints 60.0M for AlexNet's 60.965M: truncated to the million.
    assert agrees or name in UNEXPLAINED or (name == "alexnet" and shown // 10 == count // 10**6)


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [
        ("rfnin_scale3", 10, 6_733_674),
        ("rfnin_scale3", 1000, 7_748_424),
        ("rfnin_v2", 100, 9_022_188),
        ("nin_imagenet", 100, 6_672_676),
        ("nin_cifar", 10, 966_986),
        ("alexnet", 100, 57_277_924),
    ],
)
def test_counts_with_other_classes(name: str, classes: int, count: int) -> None:
    assert trained_parameters(built(name, num_classes=classes)) == count


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("rfnin_cifar", {"scales": [4, 3, 2]}, 1_830_538),
        ("rfnin_cifar", {"scales": [1, 1, 1]}, 819_658),
        ("rfnin_refactor_layer1", {"keep_cccp": False}, 7_561_672),
        ("nin_refactor_all", {"kernel_sizes": [25, 13, 7, 5]}, 6_854_962),
    ],
)
def test_counts_of_other_readings(name: str, options: dict, count: int) -> None:
    assert trained_parameters(built(name, **options)) == count


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("rfnin_order1", 12),
        ("rfnin_order2", 24),
        ("rfnin_order3", 40),
        ("rfnin_order4", 60),
        ("rfnin_scale1", 24),
        ("rfnin_scale2", 54),
        ("rfnin_scale3", 94),
        ("rfnin_scale4", 144),
        ("nin_refactor_all", 94),
        ("nin_refactor_layer1", 37 + 96 * 256 + 256 * 384 + 384 * 1024),
    ],
)
def test_number_of_2d_filters_of_table_1(name: str, filters: int) -> None:
    assert spatial_filters(built(name)) == filters


def test_2d_filters_of_the_plain_nets_of_table_1() -> None:
    """The thesis prints 520k for NiN and 370k for AlexNet (without groups)."""
    nets = built("nin_imagenet"), built("alexnet", groups=1), built("alexnet")
    assert [spatial_filters(net) for net in nets] == [516_384, 368_928, 233_760]


@pytest.mark.parametrize(("size", "millions"), [(224, 57.277924), (64, 20.577764)])
def test_a_crop_decides_the_size_of_a_net(size: int, millions: float) -> None:
    spec = {
        "model": {"name": "alexnet", "options": {}},
        "data": {"name": "imagenet", "prepare": {"classes": 100}},
        "recipe": {"crop": {"size": size}},
    }
    assert count(spec, "parameters") == millions
    assert count(spec, "collapsed_parameters") == millions
    assert count(spec, "spatial_filters") == 233_760


def test_basis_filters_per_layer() -> None:
    layers = [m for m in built("rfnin_bn").modules() if isinstance(m, GaussianConv2d)]
    assert [len(layer.basis) for layer in layers] == [57, 43, 29, 15, 15]
    assert [layer.kernel_size for layer in layers] == [(k, k) for k in (11, 9, 7, 5, 5)]
    assert isinstance(layers[0].basis, GaussianBasis)
