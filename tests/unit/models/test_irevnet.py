"""i-RevNets: counts of models.md's readings, exact inverses, refused configurations."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional

from structnets.models import create_model, describe_models
from structnets.models.irevnet import IRevNet, irevnet

SMALL = {"blocks": (2, 2), "strides": (2, 2), "channels": (24, 96)}
INJECTIVE = {"blocks": (3, 2), "strides": (1, 2), "channels": (8, 32), "init_ds": 1}


def small(**options: Any) -> IRevNet:
    torch.manual_seed(0)
    return irevnet(**{**SMALL, **options})


def seen(model: IRevNet, side: int = 16, batches: int = 20) -> IRevNet:
    """Let batch norm see some batches, then put the model in eval mode."""
    dtype = next(model.parameters()).dtype
    with torch.no_grad():
        for _ in range(batches):
            model(torch.rand(8, 3, side, side, dtype=dtype))
    return model.eval()


def test_golden_table_of_counts_of_chapter_6() -> None:
    """29.201M, 27.553M and 25.6M are Table 9's; no reading gives 181M for the injective net."""
    rows = {row["name"]: row["params"] for row in describe_models() if row["chapter"] == 6}
    assert rows == {
        "irevnet_a": 48_352_360,
        "irevnet_a_333": 199_033_960,
        "irevnet_b": 29_201_092,
        "irevnet_b_333": 125_120_356,
        "irevnet_cifar": 6_274_826,
        "irevnet_cifar_131": 1_347_338,
        "irevnet_cifar_bijective": 3_013_558,
        "irevnet_cifar_bijective_333": 14_099_542,
        "revnet56": 27_553_128,
        "resnet50": 25_557_032,
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", [SMALL, INJECTIVE], ids=["bijective", "injective"])
def test_inverse_of_features_is_the_image(options: dict[str, Any], dtype: torch.dtype) -> None:
    model = seen(small(**options).to(dtype))
    x = torch.rand(3, 3, 16, 16, dtype=dtype)
    error = (model.inverse(model.encode(x)) - x).norm() / x.norm()
    assert error < (1e-5 if dtype == torch.float32 else 1e-13)


@pytest.mark.parametrize("name", ["irevnet_cifar", "irevnet_cifar_bijective"])
def test_inverse_of_the_cifar_nets(name: str) -> None:
    torch.manual_seed(0)
    model, x = create_model(name), torch.rand(2, 3, 32, 32)
    assert isinstance(model, IRevNet)
    with torch.no_grad():
        features = seen(model, 32, batches=3).encode(x)
        error = (model.inverse(features) - x).norm() / x.norm()
    assert error < 1e-4


@pytest.mark.parametrize("options", [SMALL, INJECTIVE], ids=["bijective", "injective"])
def test_gradients_equal_plain_autograd(options: dict[str, Any]) -> None:
    model = small(**options).double()
    plain, x = copy.deepcopy(model), torch.rand(4, 3, 16, 16, dtype=torch.float64)
    plain.features.reversible = False
    for net in (model, plain):
        functional.cross_entropy(net(x), torch.arange(4)).backward()
    tolerance = 1e-10 if model.is_bijective else 1e-6
    for one, two in zip(model.parameters(), plain.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        assert (one.grad - two.grad).norm() <= tolerance * two.grad.norm()
    for one, two in zip(model.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-14)


def test_sizes_of_the_imagenet_nets() -> None:
    """As printed: the bijective net keeps 3 x 224^2 numbers, the injective one has about .3M."""
    for name, shape in (("irevnet_a", (1, 6144, 7, 7)), ("irevnet_b", (1, 3072, 7, 7))):
        with torch.device("meta"):
            model = create_model(name).eval()
            assert model.encode(torch.zeros(1, 3, 224, 224)).shape == shape
    assert 3072 * 7 * 7 == 3 * 224**2


def test_blocks_and_layers_are_the_thesis_s() -> None:
    with torch.device("meta"):
        a, b = create_model("irevnet_a"), create_model("irevnet_b")
    assert isinstance(a, IRevNet)
    assert isinstance(b, IRevNet)
    assert (3 * len(b.blocks), b.is_bijective, a.is_bijective) == (300, True, False)
    strided = [i for i, block in enumerate(b.blocks) if block.rearrange.size == 2]
    assert [3 * (i + 1) for i in strided] == [3, 21, 69, 285]
    strided = [i for i, block in enumerate(a.blocks) if block.rearrange.size == 2]
    assert [3 * (i + 1) for i in strided] == [15, 27, 45]


def test_checkpoint_of_another_configuration_is_refused() -> None:
    state = small(kernels="333").state_dict()
    with pytest.raises(ValueError, match="another i-RevNet: kernels '333', this net has '131'"):
        small().load_state_dict(state)
    model = small()
    model.load_state_dict(small().state_dict())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 30}, "multiples of 8, the net's total down-sampling; got 30 x 30"),
        ({"channels": (24, 97)}, r"channels\[1\] must be .* = 96, got 97"),
        ({"channels": (20, 80)}, r"channels\[0\] = 20 does not follow .* give streams of 24"),
        ({"channels": (26, 104)}, r"channels\[0\] = 26 .* need strides\[0\] = 1"),
        ({"blocks": (1, 2, 3)}, "need one value per stage each, got"),
        ({"blocks": (1, 0)}, r"blocks must be >= 1, got \[1, 0\]"),
        ({"kernels": "13"}, r"kernels must be three odd widths, got \[1, 3\]"),
        ({"kernels": "wide"}, r"kernels must be three odd widths, got 'wide'"),
    ],
)
def test_bad_configurations_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_odd_image_is_named() -> None:
    with pytest.raises(ValueError, match=r"multiples of 8, .*; got 16 x 20: pad or resize"):
        small()(torch.zeros(1, 3, 16, 20))


def test_inverse_in_training_mode_is_refused() -> None:
    with pytest.raises(RuntimeError, match="needs eval mode"):
        small().inverse(torch.zeros(1, 192, 2, 2))
