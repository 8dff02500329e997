"""Suppression: ridges become thin where they are highest, in every direction."""

import numpy as np
import pytest

from structnets.metrics.boundary.suppression import SUPPRESSIONS, suppress, triangle_filter


def ridge(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return distances from a line through the middle and a Gaussian ridge over it."""
    y, x = np.mgrid[-40:41, -40:41]
    distance = x * np.cos(angle) + y * np.sin(angle)
    return np.abs(distance), 0.9 * np.exp(-(distance**2) / 18)


@pytest.mark.parametrize("name", ["edges", "hed"])
@pytest.mark.parametrize("angle", 0.1 + np.linspace(0, np.pi, 7)[:-1])
def test_ridge_is_kept_at_its_top_alone(name, angle):
    distance, strength = ridge(angle)
    kept = suppress(strength, SUPPRESSIONS[name])
    inner = (slice(10, -10), slice(10, -10))
    assert (kept[inner][distance[inner] <= 0.3] > 0.5).all()
    assert not kept[inner][distance[inner] > 1.5].any()


def test_what_is_kept_keeps_its_value_inside():
    _, strength = ridge(0.4)
    kept = suppress(strength, SUPPRESSIONS["edges"])[5:-5, 5:-5]
    assert np.array_equal(kept[kept > 0], strength[5:-5, 5:-5][kept > 0])


def test_border_fades_linearly():
    _, strength = ridge(0.0)
    column = suppress(strength, SUPPRESSIONS["edges"])[:7, 40]
    assert np.allclose(column, 0.9 * np.array([0, 0.2, 0.4, 0.6, 0.8, 1, 1]))


def test_triangle_by_hand():
    impulse = np.zeros((7, 7))
    impulse[3, 3] = 1
    expected = np.array([0, 0, 1, 2, 1, 0, 0]) / 4
    assert np.allclose(triangle_filter(impulse, 1), np.outer(expected, expected))


def test_flat_map_stays():
    assert np.allclose(suppress(np.full((20, 30), 0.5), SUPPRESSIONS["hed"])[6:-6, 6:-6], 0.5)
