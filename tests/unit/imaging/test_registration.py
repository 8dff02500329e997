"""Registration: a known placement is found again, by the same bytes each time."""

import numpy as np
import pytest

from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.itk import to_array, to_image, to_matrix, to_transform
from structnets.imaging.registration import centre_of_mass, refine, register
from structnets.imaging.simulated import simulate_brain
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume
from structnets.imaging.warping import strip_skull, to_mni
from tests.unit.imaging.scanner import to_scan


def misplacement(found, expected):
    """Root mean square distance in mm between two placements of the template's brain."""
    index = np.argwhere(load_template().mask)[::500]
    points = np.c_[index, np.ones(len(index))] @ MNI_AFFINE.T
    return np.sqrt((((points @ (found - expected).T)[:, :3]) ** 2).sum(axis=1).mean())


@pytest.fixture(scope="module")
def found(scan):
    return register(scan)


def test_a_known_placement_is_found(found, placement):
    # The subject's own deformation has no affine part to speak of.
    assert misplacement(found.matrix, placement) < 2.0
    assert found.information > 0.5
    assert found.method == "simpleitk"
    assert len(found.starts) == 7


def test_registering_twice_gives_the_same(found, scan):
    again = register(Volume(scan.data.copy(), scan.affine.copy()))
    np.testing.assert_array_equal(again.matrix, found.matrix)
    assert again.starts == found.starts


def test_a_header_that_is_far_off_does_not_matter(found, scan, placement):
    shift = np.eye(4)
    shift[:3, 3] = [150, -90, 60]
    moved = register(Volume(scan.data, shift @ scan.affine))
    assert misplacement(moved.matrix, shift @ placement) < 2.0


def test_refining_keeps_what_is_right(found, scan, placement):
    assert misplacement(refine(scan, found).matrix, placement) < 2.0


def test_warping_with_the_true_placement_gives_the_brain_back(scan, placement):
    brain = simulate_brain(3, patient=False)
    back = to_mni(scan, placement)
    inside = load_template().mask
    assert np.corrcoef(back[inside], brain[inside])[0, 1] > 0.92


def test_stripping_keeps_the_brain_and_no_more(placement):
    whole = to_scan(np.ones((91, 109, 91), np.float32), placement, voxel_mm=2.5)
    stripped = strip_skull(whole, placement, margin_mm=4)
    back = to_mni(stripped, placement) > 100
    inside = load_template().mask
    assert (back[inside]).mean() > 0.999
    assert 1.0 < back.sum() / inside.sum() < 1.35


def test_centre_of_mass_by_hand():
    weight = np.zeros((5, 6, 7))
    weight[1, 2, 3], weight[3, 2, 3] = 1, 3
    affine = np.diag([2.0, 3, 4, 1])
    affine[:3, 3] = [10, 0, 0]
    np.testing.assert_allclose(centre_of_mass(weight, affine), [15, 6, 12])


def test_transforms_and_images_survive_itk(placement, ramp, oblique):
    for centre in (None, np.array([3.0, -20, 7])):
        np.testing.assert_allclose(to_matrix(to_transform(placement, centre)), placement)
    image = to_image(Volume(ramp, oblique))
    np.testing.assert_array_equal(to_array(image), ramp)
    world = oblique @ [3, 5, 7, 1]
    itk_world = image.TransformIndexToPhysicalPoint((3, 5, 7))
    np.testing.assert_allclose(itk_world, world[:3] * [-1, -1, 1], atol=1e-4)
