"""Reading of volumes: orientation kept, every fault named with its file."""

import gzip

import nibabel
import numpy as np
import pytest

from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE
from structnets.imaging.volumes import is_registered, read_volume, to_ras


def test_turning_keeps_every_value_at_its_place(ramp, oblique):
    turned = to_ras(ramp, oblique)
    assert nibabel.aff2axcodes(turned.affine) == ("R", "A", "S")
    for index in [(0, 0, 0), (3, 7, 11), (19, 23, 21)]:
        world = oblique @ [*index, 1]
        there = np.rint(np.linalg.solve(turned.affine, world))[:3].astype(int)
        assert turned.data[tuple(there)] == ramp[index]


def test_a_file_comes_back_turned(save_volume, ramp, oblique):
    volume = read_volume(save_volume(ramp, oblique))
    assert volume.data.dtype == np.float32
    assert volume.data.shape == (20, 22, 24)
    assert volume.zooms == pytest.approx((5.009, 5.0, 5.009), abs=1e-3)


def test_one_volume_in_four_dimensions_is_three(save_volume, ramp, oblique):
    assert read_volume(save_volume(ramp[..., None], oblique)).data.ndim == 3


def test_registered_is_told_by_shape_and_affine(save_volume):
    data = np.zeros(MNI_SHAPE, np.uint8)
    data[40:50] = 7
    las = MNI_AFFINE @ np.array([[-1, 0, 0, 90], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert is_registered(read_volume(save_volume(data, MNI_AFFINE)))
    flipped = read_volume(save_volume(data, las))
    assert is_registered(flipped)
    np.testing.assert_array_equal(flipped.data, data[::-1])
    shifted = MNI_AFFINE.copy()
    shifted[0, 3] += 2
    assert not is_registered(read_volume(save_volume(data, shifted)))


def test_analyze_needs_its_axes(tmp_path, ramp):
    image = nibabel.AnalyzeImage(ramp.astype(np.int16), np.diag([5.0, 5, 5, 1]))
    nibabel.save(image, tmp_path / "old.img")
    with pytest.raises(ValueError, match=r"old\.img states no orientation .* give its axes"):
        read_volume(tmp_path / "old.img")
    volume = read_volume(tmp_path / "old.img", axes="ASL")
    assert volume.data.shape == (22, 20, 24)
    # The last voxel axis points left, so that the first voxel lies rightmost.
    assert volume.data[-1, 0, 0] == ramp[0, 0, 0]


def broken(change):
    data = np.arange(20 * 24 * 22, dtype=np.float32).reshape(20, 24, 22)
    affine = np.diag([5.0, 5, 5, 1])
    return change(data, affine)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, a: (np.stack([d, d], -1), a), r"shape \(20, 24, 22, 2\); expected one 3-D"),
        (lambda d, a: (d[0], a), r"expected one 3-D volume"),
        (lambda d, a: (np.where(d == 5, np.nan, d), a), "has 1 voxels that are NaN"),
        (lambda d, a: (np.where(d < 2, np.inf, d), a), "has 2 voxels that are NaN or infinite"),
        (lambda d, a: (d, np.diag([0, 0, 0, 1.0])), "singular affine"),
        (lambda d, a: (d, np.diag([0.005, 0.005, 0.005, 1])), "voxels of 0.005, .* wrong units"),
        (lambda d, a: (d, np.diag([0.5, 0.5, 0.5, 1])), "covers 10 x 12 x 11 mm, which is no"),
        (lambda d, a: (d * 0 + 3, a), r"is constant \(3 everywhere\)"),
        (lambda d, a: (d.astype(np.complex64) + 1j, a), "real numbers"),
    ],
)
def test_a_bad_volume_is_named(save_volume, change, message):
    path = save_volume(*broken(change))
    with pytest.raises(ValueError, match=message) as caught:
        read_volume(path)
    assert str(path) in str(caught.value)


def test_units_and_codes_of_the_header_count(save_volume, ramp, oblique, tmp_path):
    with pytest.raises(ValueError, match="codes 0, so left and right are unknown"):
        read_volume(save_volume(ramp, oblique, code=0))
    image = nibabel.load(save_volume(ramp, oblique))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "metres.nii.gz")
    with pytest.raises(ValueError, match="states its sizes in meter; expected mm"):
        read_volume(tmp_path / "metres.nii.gz")
    with pytest.raises(ValueError, match="states its orientation, so axes must not"):
        read_volume(save_volume(ramp, oblique), axes="ASL")


@pytest.mark.parametrize("keep", [100, 400, 5000])
def test_a_truncated_file_is_named(save_volume, oblique, tmp_path, keep):
    noise = np.random.default_rng(0).normal(size=(20, 24, 22)).astype(np.float32)
    whole = save_volume(noise, oblique).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[:keep])
    (tmp_path / "cut.nii").write_bytes(gzip.decompress(whole)[:keep])
    for name in ("cut.nii.gz", "cut.nii"):
        with pytest.raises(ValueError, match=rf"{name} is (truncated|not)"):
            read_volume(tmp_path / name)


def test_no_file_and_no_image(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        read_volume(tmp_path / "none.nii.gz")
    (tmp_path / "text.nii.gz").write_text("no volume")
    with pytest.raises(ValueError, match="is not compressed by gzip"):
        read_volume(tmp_path / "text.nii.gz")
