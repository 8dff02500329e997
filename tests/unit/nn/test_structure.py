"""`structure`: whole models with Gaussian layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.nn import GaussianConv2d, structure
from structnets.nn.structure import nearest_coefficients


def test_a_torchvision_net_keeps_its_shapes_and_says_what_changed() -> None:
    torchvision = pytest.importorskip("torchvision")
    net = torchvision.models.resnet18()
    before = sum(p.numel() for p in net.parameters())
    x = torch.randn(1, 3, 64, 64)
    maps = net.layer2(torch.randn(1, 64, 16, 16)).shape
    report = structure(net, order=2, learn_sigma=True, keep_weights=False)
    assert report.model is net
    assert net(x).shape == (1, 1000)
    assert net.layer2(torch.randn(1, 64, 16, 16)).shape == maps
    assert len(report.changed) == 17
    assert not report.left
    less = sum(c.weights_before - c.weights for c in report.changed)
    assert before - sum(p.numel() for p in net.parameters()) == less > 0
    assert "conv1: 7x7 -> " in str(report)


def test_filters_that_the_basis_has_are_kept() -> None:
    torch.manual_seed(0)
    known = GaussianConv2d(2, 3, order=2, sigmas=0.7, discretisation="hybrid").double()
    net = nn.Sequential(known.collapse(), nn.ReLU())
    x = torch.randn(1, 2, 20, 20, dtype=torch.float64)
    expected = net(x)
    report = structure(net, order=2, sigmas=0.7)
    assert report.changed[0].error == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(net(x), expected, rtol=1e-5, atol=1e-5)


def test_other_filters_become_the_nearest() -> None:
    """Against PyTorch's own least squares; the error is that of the filters."""
    weight = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    layer = GaussianConv2d(3, 4, order=2, sigmas=0.6, discretisation="hybrid")
    kernels = torch.tensor(layer.basis.kernels)
    alpha, error = nearest_coefficients(weight, kernels)
    wide = nn.functional.pad(weight, [(kernels.shape[1] - 3) // 2] * 4)
    expected = torch.linalg.lstsq(kernels.flatten(1).T, wide.flatten(2).flatten(0, 1).T).solution
    torch.testing.assert_close(alpha.flatten(0, 1), expected.T)
    found = (alpha @ kernels.flatten(1)).unflatten(2, kernels.shape[1:])
    assert error == pytest.approx(float((found - wide).norm() / wide.norm()))
    assert 0.2 < error < 0.9


@pytest.mark.parametrize(
    ("conv", "size"),
    [
        (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), 15),
        (nn.Conv2d(4, 6, 7, stride=2, padding=3), 16),
        (nn.Conv2d(4, 6, 3, dilation=2, padding="same"), 12),
        (nn.Conv2d(4, 6, (1, 5), padding="valid"), 30),
        (nn.Conv2d(4, 4, 5, padding=0, groups=4, bias=False), 14),
    ],
)
def test_maps_keep_their_size_and_place(conv: nn.Conv2d, size: int) -> None:
    x = torch.randn(2, 4, size, size)
    layer = structure(conv, order=1).model
    assert layer(x).shape == conv(x).shape
    assert isinstance(layer, GaussianConv2d)
    # Centred: a smooth picture's first output pixel sits where it sat.
    assert layer.padding == tuple(
        (n - k) * d // 2 + p
        for n, k, d, p in zip(
            layer.kernel_size,
            conv.kernel_size,
            conv.dilation,
            (2, 2)
            if conv.padding == "same"
            else (0, 0)
            if conv.padding == "valid"
            else conv.padding,
            strict=True,
        )
    )


class Special(nn.Conv2d):
    """Computes who knows what."""


def test_what_is_left_is_named_with_its_reason() -> None:
    net = nn.ModuleDict(
        {
            "special": Special(1, 1, 3),
            "even": nn.Conv2d(1, 1, 4),
            "reflect": nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
            "line": nn.Conv1d(1, 1, 3),
            "up": nn.ConvTranspose2d(1, 1, 3),
            "normed": nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 1, 3)),
            "hooked": nn.Conv2d(1, 1, 3),
            "asked": nn.Conv2d(1, 1, 3),
            "pixel": nn.Conv2d(1, 1, 1),
        }
    )
    net["hooked"].register_forward_hook(lambda *_: None)
    report = structure(net, only=lambda name, _: name != "asked")
    assert not report.changed
    assert [name for name, _ in report.left] == list(net)[:-1]
    reasons = "; ".join(why for _, why in report.left)
    for word in ("Special", "even", "'reflect'", "Conv1d", "Transpose2d", "computed", "hooks"):
        assert word in reasons


def test_shared_and_frozen_weights_stay_so() -> None:
    one, two = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
    two.weight = one.weight
    one.weight.requires_grad_(False)
    net = nn.Sequential(one, two, one).eval()
    structure(net)
    assert net[0] is net[2]
    assert net[0].alpha is net[1].alpha
    assert not net[0].alpha.requires_grad
    assert not net[0].training


def test_a_refused_argument_leaves_the_model_untouched() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3))
    with pytest.raises(ValueError, match="got 'fine'"):
        structure(net, discretisation="fine")  # type: ignore[arg-type]
    assert type(net[0]) is nn.Conv2d


class Tied(nn.Module):
    def __init__(self, other: nn.Module) -> None:
        super().__init__()
        self.enc, self.dec = nn.Conv2d(4, 4, 3, padding=1), other
        self.dec.weight = self.enc.weight


@pytest.mark.parametrize(
    "other", [nn.ConvTranspose2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding_mode="circular")]
)
def test_a_weight_that_a_layer_which_stays_has_too_is_left_tied(other: nn.Module) -> None:
    net = Tied(other)
    report = structure(net)
    assert not report.changed
    assert net.dec.weight is net.enc.weight
    assert ("enc", "its weight is also one of 'dec', which stays") in report.left


def test_shared_weights_and_biases_stay_shared() -> None:
    first, second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, stride=2)
    second.weight, second.bias = first.weight, first.bias
    net = nn.Sequential(first, second)
    structure(net, learn_sigma=True)
    assert [net[0].alpha is net[1].alpha, net[0].bias is net[1].bias] == [True, True]
    assert net[0].log_scale is net[1].log_scale


def test_weights_with_hooks_are_left() -> None:
    net = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3))
    net[0].weight.register_hook(lambda grad: 0 * grad)
    report = structure(net)
    assert [change.name for change in report.changed] == ["1"]
    assert report.left == (("0", "it has hooks, which would be lost"),)


def test_complex_weights_keep_their_imaginary_parts_or_are_left() -> None:
    weight = torch.randn(4, 3, 3, 3, dtype=torch.complex128)
    layer = GaussianConv2d(3, 4, order=2, sigmas=0.6, dtype=torch.complex128)
    kernels = torch.tensor(layer.basis.kernels)
    alpha, error = nearest_coefficients(weight, kernels)
    real, imaginary = (nearest_coefficients(part, kernels) for part in (weight.real, weight.imag))
    torch.testing.assert_close(alpha, torch.complex(real[0], imaginary[0]))
    rest = [real[1] * weight.real.norm(), imaginary[1] * weight.imag.norm()]
    assert error == pytest.approx(float(torch.tensor(rest).norm() / weight.norm()))
    conv = nn.Conv2d(3, 4, 3, padding=1, dtype=torch.complex128)
    assert structure(conv, learn_sigma=True).left[0][1].startswith("its weights are complex")
    made, x = structure(conv, sigmas=0.6).model.eval(), torch.randn(1, 3, 9, 9).to(weight.dtype)
    assert made.alpha.imag.norm() > 0
    with torch.no_grad():
        torch.testing.assert_close(made(x), made.collapse()(x))
