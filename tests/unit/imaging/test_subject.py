"""One subject from file to MNI152."""

import numpy as np
import pytest

from structnets.imaging.bias_field import correct_bias
from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.simulated import simulate_brain
from structnets.imaging.subject import Steps, prepare_subject
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume


def test_a_scan_is_brought_to_mni(scan, save_volume, placement):
    made = prepare_subject(save_volume(scan.data, scan.affine))
    brain, mask = simulate_brain(3, patient=False), load_template().mask
    assert made.volume.dtype == np.uint8
    assert made.volume[~mask].max() == 0
    assert np.corrcoef(made.volume[mask], brain[mask])[0, 1] > 0.85
    assert made.facts["problems"] == []
    assert made.facts["quality"]["determinant"] == pytest.approx(np.linalg.det(placement), rel=0.05)
    assert made.facts["already_registered"] is False
    assert 0 < made.facts["cut_off"] < 0.1


def test_registered_input_is_only_checked(save_volume):
    brain = simulate_brain(0, patient=True)
    made = prepare_subject(save_volume(brain, MNI_AFFINE))
    assert made.facts["already_registered"] is True
    assert made.facts["matrix"] is None
    assert made.facts["cut_off"] is None
    assert set(made.facts["quality"]) == {"similarity", "overlap"}
    np.testing.assert_array_equal(made.volume == 0, brain == 0)


@pytest.mark.parametrize("outside", [True, False], ids=["whole", "brain alone"])
def test_a_standardised_scan_is_refused(outside, save_volume):
    """Clipped to bytes, nearly half of the brain would be 0."""
    template = load_template()
    inside = template.data[template.mask]
    standardised = (template.data - inside.mean()) / inside.std()
    given = standardised if outside else np.where(template.mask, standardised, 0)
    with pytest.raises(ValueError, match=r"below 0 in \d+% of the voxels, as after standardising"):
        prepare_subject(save_volume(given, MNI_AFFINE))


def test_undershoot_of_a_resampled_scan_is_no_reason_to_refuse(save_volume):
    template = load_template()
    ringing = np.where(template.data > 0.01, template.data, -0.02 * template.data.max())
    assert not prepare_subject(save_volume(ringing, MNI_AFFINE)).facts["problems"]


def test_misplaced_registered_input_is_flagged_not_refused(save_volume):
    brain = np.roll(simulate_brain(0, patient=True), 12, axis=1)
    made = prepare_subject(save_volume(brain, MNI_AFFINE))
    assert made.facts["problems"]


def test_the_bias_field_goes(scan):
    flat = correct_bias(scan)
    assert flat.data[scan.data == 0].max() == 0
    # The simulated field rises linearly along the first axis.
    left, right = (scan.data[:44] > 0), (scan.data[44:] > 0)

    def ratio(volume: Volume) -> float:
        return volume.data[44:][right].mean() / volume.data[:44][left].mean()

    assert abs(ratio(flat) - 1) < 0.3 * abs(ratio(scan) - 1)


def test_an_unknown_tool_is_refused():
    with pytest.raises(ValueError, match="must be one of simpleitk, flirt, got 'ants'"):
        Steps(registration="ants")


def test_an_empty_brain_names_its_file(save_volume):
    corner = np.zeros((91, 109, 91), np.float32)
    corner[:3, :3, :3] = 5
    path = save_volume(corner, MNI_AFFINE)
    with pytest.raises(ValueError, match=f"{path}: the volume is empty"):
        prepare_subject(path)
