"""Coarser grids of MNI152, intensity coding, template and simulation."""

import numpy as np
import pytest

from structnets.imaging.grid import (
    BRAIN_BOX,
    MNI_AFFINE,
    MNI_SHAPE,
    coarsen,
    grid_affine,
    grid_shape,
    on_grid,
)
from structnets.imaging.intensity import normalize
from structnets.imaging.simulated import simulate_brain
from structnets.imaging.template import load_template


def test_averages_by_hand():
    volume = np.zeros(MNI_SHAPE, np.float32)
    volume[0:2, 0:2, 0:2] = np.arange(8).reshape(2, 2, 2)
    volume[90, 108, 90] = 80
    coarse = coarsen(volume, 4)
    assert coarse.shape == grid_shape(4) == (46, 55, 46)
    assert coarse[0, 0, 0] == 3.5
    # The last cube has one voxel inside the grid; seven are background.
    assert coarse[-1, -1, -1] == 10


def test_a_cell_lies_where_the_voxels_that_it_averages_do():
    places = np.moveaxis(np.indices(MNI_SHAPE).astype(np.float64), 0, -1) @ MNI_AFFINE[:3, :3].T
    for axis in range(3):
        coarse = coarsen((places + MNI_AFFINE[:3, 3])[..., axis], 6)
        assert (grid_affine(6) @ [3, 5, 7, 1])[axis] == pytest.approx(coarse[3, 5, 7])
    np.testing.assert_array_equal(grid_affine(2), MNI_AFFINE)


def test_averaging_twice_is_averaging_once():
    volume = np.random.default_rng(0).random((2, *MNI_SHAPE), dtype=np.float32)
    four = coarsen(volume, 4)
    assert coarsen(volume, 8).shape == (2, *grid_shape(8))
    inner = four[:, :44, :54, :44].reshape(2, 22, 2, 27, 2, 22, 2).mean(axis=(2, 4, 6))
    np.testing.assert_allclose(coarsen(volume, 8)[:, :22, :27, :22], inner, atol=1e-6)
    np.testing.assert_array_equal(coarsen(volume, 2), volume)


def test_the_box_of_the_brain_is_that_of_the_template():
    places = np.argwhere(load_template().mask)
    assert tuple(zip(places.min(0), places.max(0), strict=True)) == BRAIN_BOX


@pytest.mark.parametrize(("grid_mm", "shape"), [(2, (73, 90, 78)), (4, (37, 45, 39))])
def test_the_field_of_view_of_the_brain(grid_mm, shape):
    assert grid_shape(grid_mm, "brain") == shape
    numbered = np.arange(np.prod(MNI_SHAPE)).reshape(MNI_SHAPE) % 251
    volume = numbered.astype(np.uint8)[np.newaxis]
    whole, brain = on_grid(volume, grid_mm), on_grid(volume, grid_mm, "brain")
    assert brain.shape == (1, *shape)
    # The same place in mm has the same value.
    place = grid_affine(grid_mm, "brain") @ [3, 5, 7, 1]
    x, y, z = np.rint(np.linalg.solve(grid_affine(grid_mm), place)[:3]).astype(int)
    np.testing.assert_allclose(grid_affine(grid_mm) @ [x, y, z, 1], place)
    assert brain[0, 3, 5, 7] == whole[0, x, y, z]
    # No voxel of the brain is lost.
    mask = load_template().mask.astype(np.uint8) * 200
    assert on_grid(mask, grid_mm, "brain").sum() == on_grid(mask, grid_mm).sum()


@pytest.mark.parametrize("grid_mm", [0, 3, -2, 2.0, True, "4"])
def test_bad_grids(grid_mm):
    with pytest.raises(ValueError, match="grid_mm must be a positive multiple of 2"):
        grid_shape(grid_mm)


def test_a_volume_of_another_grid_is_refused():
    with pytest.raises(ValueError, match=r"must be \(\.\.\., 91, 109, 91\), got \(4, 4, 4\)"):
        coarsen(np.zeros((4, 4, 4)), 2)


def test_coding_sets_the_bright_end_of_the_brain():
    mask = load_template().mask
    volume = np.random.default_rng(0).normal(500, 90, MNI_SHAPE)
    coded = normalize(volume, inside=mask)
    assert coded.dtype == np.uint8
    assert coded[~mask].max() == 0
    assert np.percentile(coded[mask], 99.9) == pytest.approx(255, abs=1)
    assert coded[mask].mean() == pytest.approx(255 * 500 / (500 + 3.09 * 90), rel=0.01)


def test_coding_does_not_depend_on_the_unit():
    volume = simulate_brain(1, patient=True)
    np.testing.assert_array_equal(normalize(volume), normalize(volume * np.float32(1024)))
    assert normalize(volume)[volume == 0].max() == 0


def test_nothing_inside_the_brain_is_refused():
    with pytest.raises(ValueError, match="empty or constant"):
        normalize(np.zeros(MNI_SHAPE))


def test_template_is_the_brain_of_mni152():
    template = load_template()
    assert template.data.shape == template.mask.shape == MNI_SHAPE
    # ICBM152's brain has about 1.9 litres with its cavities; 8 mm^3 a voxel.
    assert template.mask.sum() * 8e-6 == pytest.approx(1.88, abs=0.02)
    assert np.corrcoef(template.data.ravel(), template.data[::-1].ravel())[0, 1] > 0.99
    with pytest.raises(ValueError, match="read-only"):
        template.data[0] = 1


def test_simulated_patients_differ_and_seeds_repeat():
    one = simulate_brain(5, patient=True)
    np.testing.assert_array_equal(one, simulate_brain(5, patient=True))
    assert one.dtype == np.float32
    middle = (slice(35, 56), slice(45, 70), slice(36, 52))
    healthy = [simulate_brain(seed, patient=False)[middle].mean() for seed in range(3)]
    patients = [simulate_brain(seed, patient=True)[middle].mean() for seed in range(3)]
    assert max(patients) < min(healthy)
