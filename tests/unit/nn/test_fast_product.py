"""`product`: the same sums by whichever library, for any layout of the matrices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import GaussianConv2d, _fast_product, _pieces
from structnets.nn._fast_product import matmul, product

LAYOUTS = {
    "rows": lambda m: m,
    "columns": lambda m: m.t().contiguous().t(),
    "every other row": lambda m: m.repeat_interleave(2, 0)[::2],
    "some columns": lambda m: m.repeat(1, 2)[:, : m.shape[1]],
    "a weight": lambda m: nn.Parameter(m, requires_grad=False),
}


@pytest.fixture
def by_library(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Note the sizes that the other library multiplied."""
    if not (_fast_product._LINEAR and _fast_product._is_enabled()):
        pytest.skip("this PyTorch is built without oneDNN")
    sizes: list[tuple[int, ...]] = []
    whole = _fast_product._linear

    def linear(x: Tensor, weight: Tensor) -> Tensor:
        assert weight.is_contiguous() or weight.t().is_contiguous()  # or it takes for ever
        sizes.append((*x.shape, len(weight)))
        return whole(x, weight)

    monkeypatch.setattr(_fast_product, "_linear", linear)
    return sizes


@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
def test_large_products_are_those_of_mm(left: str, right: str, by_library: list) -> None:
    a = LAYOUTS[left](torch.randn(120, 310))
    b = LAYOUTS[right](torch.randn(310, 90))
    torch.testing.assert_close(product(a, b), a @ b, rtol=1e-4, atol=1e-4)
    assert by_library == [(120, 310, 90)]


@pytest.mark.parametrize(
    ("size", "dtype"),
    [
        ((8, 9, 10), torch.float32),
        ((4, 4096, 4096), torch.float32),
        ((200, 200, 200), torch.float64),
    ],
    ids=["small", "narrow", "double"],
)
def test_others_are_left_to_mm(size: tuple[int, int, int], dtype, by_library: list) -> None:
    a, b = torch.randn(size[:2], dtype=dtype), torch.randn(size[1:], dtype=dtype)
    torch.testing.assert_close(product(a, b), torch.mm(a, b), rtol=0, atol=0)
    assert by_library == []


def test_a_library_that_is_switched_off_or_absent_is_not_used(
    by_library: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = torch.randn(200, 200), torch.randn(200, 200)
    torch._C._set_mkldnn_enabled(False)
    try:
        torch.testing.assert_close(product(a, b), torch.mm(a, b), rtol=0, atol=0)
    finally:
        torch._C._set_mkldnn_enabled(True)
    monkeypatch.setattr(_fast_product, "_LINEAR", None)
    torch.testing.assert_close(product(a, b), a @ b, rtol=0, atol=0)
    assert by_library == []


def test_missing_values_stay_missing() -> None:
    a, b = torch.randn(200, 200), torch.randn(200, 200)
    a[3, 5] = float("nan")
    found = product(a, b)
    assert found[3].isnan().all()
    assert not found[4].isnan().any()


@pytest.mark.parametrize("wanted", [(True, True), (True, False), (False, True)])
def test_gradients_of_matmul_are_products_too(wanted: tuple[bool, bool], by_library: list) -> None:
    a, b = (torch.randn(150, 150, requires_grad=wants) for wants in wanted)
    asked = [m for m in (a, b) if m.requires_grad]
    above = torch.randn(150, 150)
    ours, theirs = (torch.autograd.grad(o, asked, above) for o in (matmul(a, b), a @ b))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert len(by_library) == 1 + len(asked)


def test_matmul_is_differentiated_twice_and_for_many_at_once() -> None:
    a, b = (torch.randn(4, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(matmul, (a, b))
    assert torch.autograd.gradgradcheck(matmul, (a, b))
    many = torch.randn(3, 4, 4, dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad(o, (a, b), many, is_grads_batched=True) for o in (matmul(a, b), a @ b)
    )
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("images", [1, 3, 64])
@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels last"])
@pytest.mark.parametrize("options", [{}, {"groups": 2}, {"learn_sigma": True}, {"stride": 2}])
def test_images_side_by_side_are_filtered_each_for_itself(
    images: int, last: bool, options: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces of one, three and all seven images."""
    torch.manual_seed(0)
    layer = GaussianConv2d(4, 6, order=2, discretisation="hybrid", way="pieces", **options).double()
    layout = torch.channels_last if last else torch.contiguous_format
    x = torch.randn(7, 4, 12, 11).double().contiguous(memory_format=layout).requires_grad_()
    of_one = 6 * (4 // layer.groups) * (12 // layer.stride[0]) * -(-11 // layer.stride[1])
    monkeypatch.setattr(_pieces, "GROUP_NUMBERS", images * of_one)
    out = layer(x)
    plain = torch.nn.functional.conv2d(
        x, layer.kernel(), layer.bias, layer.stride, layer.padding, 1, layer.groups
    )
    torch.testing.assert_close(out, plain)
    assert out.is_contiguous(memory_format=layout)
    wanted, above = [x, *layer.parameters()], torch.randn_like(out)
    ours, theirs = (torch.autograd.grad(o, wanted, above) for o in (out, plain))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("options", [{}, {"stride": 2}, {"discretisation": "hybrid"}])
def test_wide_maps_are_given_to_the_library_as_it_takes_them(options: dict, by_library) -> None:
    """Their matrices are multiplied by blocks, which lie scattered in memory."""
    layer = GaussianConv2d(24, 16, order=1, sigmas=4.0, way="pieces", bias=False, **options)
    x = torch.randn(1, 24, 128, 128, requires_grad=True)
    out, plain = layer(x), layer.collapse()(x)
    torch.testing.assert_close(out, plain, rtol=1e-3, atol=1e-3)
    ours, theirs = (torch.autograd.grad(o.square().sum(), x)[0] for o in (out, plain))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert by_library
