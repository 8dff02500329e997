"""Quality control tells a brain in place from one that is not."""

import numpy as np
import pytest
from scipy import ndimage

from structnets.imaging import quality
from structnets.imaging.simulated import simulate_brain
from structnets.imaging.template import load_template


@pytest.fixture(scope="module")
def brain():
    return simulate_brain(0, patient=False)


def test_the_template_fits_itself():
    template = load_template()
    found = quality.measure(template.data, np.eye(4))
    assert found["similarity"] == pytest.approx(1)
    assert found["overlap"] > 0.97
    assert [found[k] for k in ("determinant", "smallest_scale", "largest_scale")] == [1, 1, 1]
    assert quality.problems(found) == []


def test_a_simulated_brain_passes(brain):
    assert quality.problems(quality.measure(brain, None)) == []


def test_a_skull_is_not_taken_for_brain(brain):
    mask = load_template().mask
    outside = ndimage.distance_transform_edt(~mask) * 2
    head = brain + 0.05 + 0.7 * ((outside > 8) & (outside < 16))
    assert not quality.brain_is_alone(head)
    own = quality.brain_of(head)
    assert 2 * (own & mask).sum() / (own.sum() + mask.sum()) > 0.9


@pytest.mark.parametrize(
    "displace",
    [
        lambda b: ndimage.rotate(b, 30, axes=(1, 2), reshape=False, order=1),
        lambda b: np.roll(b, 10, axis=1),
        lambda b: b[:, :, ::-1],
        lambda b: np.zeros_like(b),
    ],
)
def test_a_misplaced_brain_is_flagged(brain, displace):
    assert quality.problems(quality.measure(displace(brain), None))


def test_scales_out_of_bounds_are_named(brain):
    matrix = np.diag([2.0, 1, 0.5, 1])
    found = quality.measure(brain, matrix)
    assert found["determinant"] == pytest.approx(1)
    assert quality.problems(found) == [
        "smallest scale 0.50 is not between 0.65 and 1.3",
        "largest scale 2.00 is not between 0.75 and 1.5",
    ]


def test_what_the_template_cuts_off_is_measured_and_flagged(brain):
    mask = load_template().mask
    assert quality.cut_off(quality.brain_of(brain)) < 0.05
    own = mask.copy()
    own[:, :, :5] = True
    lost = (own & ~mask).sum() / own.sum()
    assert quality.cut_off(own) == pytest.approx(lost)
    assert quality.cut_problems(0.09) == []
    assert quality.cut_problems(0.123)[0].startswith("12.3% of its own brain is cut off by the")
    assert quality.cut_off(np.zeros_like(mask)) == 0
