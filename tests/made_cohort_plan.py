"""The plan of a study of a made cohort, whose scans are a voxel each: nothing is registered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import yaml

from structnets.files import write_json
from structnets.reporting.cohort_plan import CohortPlan, plan_cohort
from structnets.reporting.study_estimate import speed_key, speeds_file
from structnets.specs.cohort_study import LINEAR
from structnets.specs.configuration import Configuration


def scan_bytes(number: int) -> bytes:
    """Return a scan of one voxel."""
    voxel = np.full((1, 1, 1), number, dtype=np.uint8)
    return nibabel.Nifti1Image(voxel, np.eye(4)).to_bytes()


def write_people(folder: Path, columns: str, people: Sequence[str], more: str = "") -> None:
    """Write a scan for each of people P00, P01 … and the table that says of each what is given.

    Parameters
    ----------
    folder : Path
        There already or not.
    columns : str
        Names of what is given of everybody, with commas.
    people : sequence of str
        Of everybody, what the columns say.
    more : str
        A further line.
    """
    folder.mkdir(exist_ok=True)
    rows = [f"subject,file,{columns}", *([more] if more else [])]
    for number, told in enumerate(people):
        (folder / f"b{number}.nii").write_bytes(scan_bytes(number))
        rows.append(f"P{number:02d},b{number}.nii,{told}")
    (folder / "labels.csv").write_text("\n".join(rows))


def plan_made_cohort(
    root: Path, people: int, study: dict[str, Any], lists: Path, step_s: float, test_s: float
) -> CohortPlan:
    """Write people, whose classes take turns, and a study; plan it with speeds that are known.

    ``brains``, ``my.yaml`` and ``scratch`` lie below `root`.
    """
    (root / "brains").mkdir()
    rows, classes = ["subject,file,d"], study["classes"]
    for number in range(people):
        (root / "brains" / f"b{number}.nii").write_bytes(scan_bytes(number))
        rows.append(f"p{number},b{number}.nii,{classes[number % len(classes)]}")
    (root / "brains/labels.csv").write_text("\n".join(rows))
    (root / "my.yaml").write_text(yaml.safe_dump(study))
    planned = plan_cohort(Configuration(study=str(root / "my.yaml")), lists, None)
    speed = {"step_s": step_s, "test_s": test_s, "parameters": 1e6}  # nothing need be timed
    nets = [run.spec for run in planned.runs if run.row != LINEAR]
    write_json(speeds_file(root / "scratch"), {speed_key(spec): speed for spec in nets})
    return planned
