"""What is kept of a registered scan, where the process that makes it is killed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from structnets.cohorts import subject_files
from structnets.cohorts.listing import Scan
from structnets.cohorts.subject_files import make_subject, read_subject


def test_facts_are_never_of_another_scan_than_the_volume(tmp_path: Path, monkeypatch) -> None:
    def register(path: Path, steps: object, axes: object) -> SimpleNamespace:
        volume = np.full(subject_files.MNI_SHAPE, path.read_bytes()[0], np.uint8)
        return SimpleNamespace(volume=volume, facts={"problems": []})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subject_files, "prepare_subject", register)
    scan = Scan("s", "", tmp_path / "scan.nii", "a")
    scan.path.write_bytes(b"\x01")
    make_subject(scan, None, tmp_path, lambda *_: None)
    assert read_subject(tmp_path, "s").is_of(scan)
    scan.path.write_bytes(b"\x02")
    with pytest.raises(KeyboardInterrupt):
        make_subject(scan, None, tmp_path, killed)
    scan.path.write_bytes(b"\x01")  # the first one is put back
    with pytest.raises(FileNotFoundError):
        read_subject(tmp_path, "s")
    made = make_subject(scan, None, tmp_path, lambda *_: None)
    assert made.is_of(scan)
    assert made.volume().max() == 1
