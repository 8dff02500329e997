"""Lines between features: ends, even steps, norms, error paths."""

from __future__ import annotations

import pytest
import torch

from structnets.analysis.interpolation import interpolate
from structnets.models.irevnet import IRevNet


@pytest.mark.parametrize("options", [{}, {"even_in_image": True}, {"keep_norm": True}])
def test_ends_are_the_images(exact_net: IRevNet, images: torch.Tensor, options: dict) -> None:
    first, second = images[:2].double()
    found, t = interpolate(exact_net, first, second, 5, **options)
    assert (found.shape, t[0], t[-1]) == ((5, 3, 8, 8), 1, 0)
    torch.testing.assert_close(found[0], first, rtol=0, atol=1e-12)
    torch.testing.assert_close(found[-1], second, rtol=0, atol=1e-12)


def test_middle_is_the_decoded_mean(exact_net: IRevNet, images: torch.Tensor) -> None:
    first, second = images[:2].double()
    found, t = interpolate(exact_net, first, second, 3)
    ends = exact_net.encode(images[:2].double())
    torch.testing.assert_close(exact_net.encode(found[1:2])[0], ends.mean(0))
    assert t.tolist() == [1, 0.5, 0]


def test_even_steps_are_even(net: IRevNet, images: torch.Tensor) -> None:
    found, t = interpolate(net, images[0], images[1], 5, even_in_image=True, fine=32)
    lengths = (found[1:] - found[:-1]).flatten(1).norm(dim=1)
    assert lengths.max() / lengths.min() < 1.3
    assert bool((t.diff() < 0).all())


def test_norm_goes_linearly(exact_net: IRevNet, images: torch.Tensor) -> None:
    first, second = images[0].double(), 3 * images[1].double()
    found, _ = interpolate(exact_net, first, second, 5, keep_norm=True)
    norms = exact_net.encode(found).flatten(1).norm(dim=1)
    torch.testing.assert_close(norms.diff(n=2), torch.zeros(3, dtype=torch.float64))


def test_bad_input_is_named(net: IRevNet, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"of one shape, got \(3, 8, 8\) and \(3, 4, 4\)"):
        interpolate(net, images[0], images[0, :, :4, :4])
    with pytest.raises(ValueError, match="steps must be >= 2"):
        interpolate(net, images[0], images[1], 1)
