"""Crops: functions of (seed, step); the distributions are torchvision's."""

import numpy as np
import pytest

from structnets.data.batches.crops import CenterCrop, RandomCrop, RandomResizedCrop

HEIGHTS, WIDTHS = np.array([256, 300, 256]), np.array([256, 256, 400])


@pytest.mark.parametrize("crop", [RandomCrop(), RandomResizedCrop(), CenterCrop()])
def test_windows_lie_inside(crop):
    heights, widths = np.tile(HEIGHTS, 400), np.tile(WIDTHS, 400)
    windows = crop.windows(heights, widths, seed=3, step=5)
    assert len(windows) == 1200
    assert (windows.top >= 0).all()
    assert (windows.left >= 0).all()
    assert (windows.height > 0).all()
    assert (windows.top + windows.height <= heights).all()
    assert (windows.left + windows.width <= widths).all()


@pytest.mark.parametrize("crop", [RandomCrop(), RandomResizedCrop()])
def test_seed_and_step_decide(crop):
    def drawn(seed, step):
        windows = crop.windows(HEIGHTS, WIDTHS, seed, step)
        return [windows.top.tolist(), windows.left.tolist(), windows.flipped.tolist()]

    assert drawn(1, 2) == drawn(1, 2)
    assert drawn(1, 2) != drawn(1, 3)
    assert drawn(1, 2) != drawn(2, 2)
    whole = crop.windows(HEIGHTS, WIDTHS, 1, 2)
    np.testing.assert_array_equal(whole[1:].top, whole.top[1:])


def test_random_crop_reaches_every_place_alike():
    side = np.full(33_000, 256)
    windows = RandomCrop().windows(side, side, 0, 0)
    for place in (windows.top, windows.left):
        np.testing.assert_allclose(np.bincount(place, minlength=33), 1000, atol=150)
    assert windows.flipped.mean() == pytest.approx(0.5, abs=0.01)
    assert not RandomCrop(flip=False).windows(side, side, 0, 0).flipped.any()


@pytest.mark.parametrize(("height", "width"), [(256, 341), (60, 400), (400, 60)])
def test_random_resized_crop_has_torchvisions_distribution(height, width):
    transforms = pytest.importorskip("torchvision.transforms")
    torch = pytest.importorskip("torch")
    count = 4000
    heights, widths = np.full(count, height), np.full(count, width)
    ours = RandomResizedCrop().windows(heights, widths, 0, 0)
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    get = transforms.RandomResizedCrop.get_params
    theirs = np.array([get(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(count)])
    quantiles = np.linspace(0.05, 0.95, 10)
    pairs = zip((ours.top, ours.left, ours.height, ours.width), theirs.T, strict=True)
    for own, other in pairs:
        found, expected = np.quantile(own, quantiles), np.quantile(other, quantiles)
        np.testing.assert_allclose(found, expected, atol=0.05 * max(height, width))


def test_an_aspect_that_never_fits_is_cut_centrally():
    """Ten draws of at least the whole area cannot fit: the largest allowed part is taken."""
    crop = RandomResizedCrop(scale=(1.0, 1.0), ratio=(0.5, 1.0))
    windows = crop.windows(np.array([100]), np.array([400]), 0, 0)
    assert (windows.top[0], windows.left[0]) == (0, 150)
    assert (windows.height[0], windows.width[0]) == (100, 100)


def test_centre_is_torchvisions():
    functional = pytest.importorskip("torchvision.transforms.functional")
    torch = pytest.importorskip("torch")
    for height, width in ((255, 256), (227, 300), (224, 401)):
        image = torch.arange(height * width).view(1, height, width)
        windows = CenterCrop().windows(np.array([height]), np.array([width]))
        top, left = windows.top[0], windows.left[0]
        expected = functional.center_crop(image, [224, 224])
        assert torch.equal(image[:, top : top + 224, left : left + 224], expected)


@pytest.mark.parametrize("crop", [RandomCrop(), CenterCrop()])
def test_too_small_an_image(crop):
    with pytest.raises(ValueError, match=r"crop of 224 pixels does not fit .* 100x300"):
        crop.windows(np.array([256, 100]), np.array([256, 300]), 0, 0)
