"""Thinning: MATLAB's rule, a subset with the same components, any memory order."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, morphology

from structnets.metrics.boundary.thinning import thin

EIGHT = np.ones((3, 3))


@pytest.fixture(params=["horse", "noise", "dense", "full"])
def mask(request):
    if request.param == "horse":
        return ~data.horse()
    rng = np.random.default_rng(0)
    return rng.random((60, 80)) < {"noise": 0.4, "dense": 0.8, "full": 1.1}[request.param]


def test_same_as_scikit_image(mask):
    assert np.array_equal(thin(mask), morphology.thin(mask))


def test_thinned_map_is_final_and_has_the_same_components(mask):
    thinned = thin(mask)
    assert not (thinned & ~mask).any()
    assert ndimage.label(thinned, EIGHT)[1] == ndimage.label(mask, EIGHT)[1]
    assert np.array_equal(thin(thinned), thinned)


def test_memory_order_does_not_matter(mask):
    assert np.array_equal(thin(np.asfortranarray(mask)), thin(mask))


def test_bar_by_hand():
    bar = np.zeros((5, 9), dtype=bool)
    bar[1:4, 1:8] = True
    expected = np.zeros_like(bar)
    expected[2, 2:7] = True
    assert np.array_equal(thin(bar), expected)


def test_input_is_left_alone(mask):
    before = mask.copy()
    thin(mask)
    assert np.array_equal(mask, before)
