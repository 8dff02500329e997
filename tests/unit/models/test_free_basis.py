"""The controls of Table 2: atoms begin with the norms of Gaussian ones, and no more changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from structnets.bases.gaussian import GaussianBasis
from structnets.models.free_basis import (
    nin_refactor_all,
    nin_refactor_layer1,
    rfnin_refactor_layer1,
    take_norms,
)
from structnets.models.registry import create_model
from structnets.nn import GaussianConv2d, LearnedBasisConv2d


def free_layers(model: torch.nn.Module) -> list[LearnedBasisConv2d]:
    return [layer for layer in model.modules() if isinstance(layer, LearnedBasisConv2d)]


def test_atoms_have_the_norms_of_rfnin_s() -> None:
    gaussian = create_model("rfnin_scale3", num_classes=5)
    bases = [m.basis for m in gaussian.modules() if isinstance(m, GaussianConv2d)]
    layers = free_layers(nin_refactor_all(5, start="gaussian"))
    assert len(layers) == len(bases) == 4
    for layer, basis in zip(layers, bases, strict=True):
        wanted = np.linalg.norm(basis.kernels.reshape(len(basis), -1), axis=1)
        found = layer.basis_kernels.detach().flatten(1).norm(dim=1).numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        assert found.max() < 0.5  # a unit norm is what broke the comparison


@pytest.mark.parametrize("build", [nin_refactor_all, nin_refactor_layer1])
def test_the_start_changes_the_lengths_of_atoms_alone(build) -> None:
    models = []
    for start in ("unit", "gaussian"):
        torch.manual_seed(0)
        models.append(build(5, start=start))
    unit, gaussian = (model.state_dict() for model in models)
    for name, first in unit.items():
        second = gaussian[name]
        if name.endswith("basis_kernels"):
            ratio = second / first
            torch.testing.assert_close(ratio, ratio[:, :1, :1].expand_as(ratio), rtol=1e-4, atol=0)
        else:
            assert torch.equal(first, second)


def test_unit_start_is_the_former_net() -> None:
    images = torch.rand(1, 3, 64, 64)
    outputs = []
    for name in ("structnets.models.rfnin:rfnin", "nin_refactor_all"):
        torch.manual_seed(0)
        options = {"basis": "free"} if ":" in name else {}
        outputs.append(create_model(name, num_classes=5, **options).eval()(images))
    assert torch.equal(outputs[0], outputs[1])


def test_first_layers_begin_alike() -> None:
    """Table 2 compares bases, and so maps of one size; by He et al.'s variance they are 7 times."""
    torch.manual_seed(0)
    images = torch.randn(8, 3, 64, 64)

    def size(model: torch.nn.Module) -> float:
        return model.get_submodule("features.block1.0")(images).std().item()

    free = size(nin_refactor_layer1(5, start="gaussian"))
    assert 0.7 < size(rfnin_refactor_layer1(5, init="msra")) / free < 1.4
    assert size(rfnin_refactor_layer1(5)) / free > 4


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="init must be one of msra, he; got 'small'"):
        rfnin_refactor_layer1(5, init="small")
    with pytest.raises(ValueError, match="start must be one of unit, gaussian; got 'small'"):
        nin_refactor_all(5, start="small")
    layer = LearnedBasisConv2d(1, 1, atoms=4, kernel_size=5)
    with pytest.raises(ValueError, match="4 atoms, the Gaussian basis 6"):
        take_norms(layer, GaussianBasis(2))
