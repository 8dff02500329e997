"""The files of one registered scan: volume, facts and picture, written by one job.

``<name>.nii.gz`` and ``<name>.png`` come first, ``<name>.json`` last: its presence says that the
scan was dealt with, well or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.cohorts.listing import Scan
from structnets.files import atomic_path, read_json, sha256_file, write_json
from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE
from structnets.imaging.scan_files import load_image
from structnets.imaging.subject import PreparedSubject, Steps, prepare_subject


@dataclass(frozen=True)
class SubjectFiles:
    """What a job left of one scan.

    Attributes
    ----------
    name : str
        Of the scan.
    facts : mapping
        As `structnets.imaging.subject.PreparedSubject`, with ``source`` and ``sha256`` of the
        scan; only these and ``failure`` where the scan could not be used.
    folder : Path
        Where the files lie.
    """

    name: str
    facts: Mapping[str, Any]
    folder: Path

    @property
    def failure(self) -> str | None:
        """Why there is no volume; None if there is."""
        return self.facts.get("failure")

    @property
    def problems(self) -> list[str]:
        """What quality control found, a failure included."""
        return [self.failure] if self.failure else list(self.facts["problems"])

    def is_of(self, scan: Scan) -> bool:
        """Say whether they were made of a scan's file as it is now."""
        recorded = self.facts.get("source"), self.facts.get("sha256")
        return recorded == (scan.path.name, _checksum(scan.path))

    def volume(self) -> np.ndarray:
        """Read the volume, (91, 109, 91) uint8 on the MNI152 2 mm grid.

        Raises
        ------
        ValueError
            If it is missing, damaged or of another form.
        """
        path = self.folder / f"{self.name}.nii.gz"
        try:
            data = np.asarray(load_image(path).dataobj)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{error}; remove {self.folder / self.name}.json to have it made again"
            ) from error
        if data.shape != MNI_SHAPE or data.dtype != np.uint8:
            raise ValueError(f"{path} holds {data.dtype} {data.shape}, expected uint8 {MNI_SHAPE}")
        return data


def make_subject(
    scan: Scan, steps: Steps, folder: Path, draw: Callable[[PreparedSubject, Path, str], object]
) -> SubjectFiles:
    """Register one scan and write its files; a scan that cannot be used is written down as such.

    Parameters
    ----------
    scan : Scan
        The scan.
    steps : Steps
        What is done to it.
    folder : Path
        Where ``<name>.nii.gz``, ``.png`` and ``.json`` appear.
    draw : callable
        Writes the picture for the eye, of a scan, the PNG file and words above it, as
        `structnets.figures.registration_overlay.draw_overlay`.
    """
    facts: dict[str, Any]
    origin = {"source": scan.path.name, "sha256": _checksum(scan.path)}
    try:
        made = prepare_subject(scan.path, steps, axes=scan.axes)
    except ValueError as error:
        # With the checksum, so that it is tried again when the file changes.
        facts = {**origin, "failure": str(error)}
    else:
        # Never an older scan's facts beside this one's volume, should the process be killed.
        (folder / f"{scan.name}.json").unlink(missing_ok=True)
        _save(made.volume, folder / f"{scan.name}.nii.gz")
        title = f"{scan.name}: {'; '.join(made.facts['problems']) or 'passed'}"
        draw(made, folder / f"{scan.name}.png", title)
        facts = {**made.facts, **origin}
    write_json(folder / f"{scan.name}.json", facts)
    return SubjectFiles(scan.name, facts, folder)


def read_subject(folder: Path, name: str) -> SubjectFiles:
    """Read what `make_subject` wrote."""
    return SubjectFiles(name, read_json(folder / f"{name}.json"), folder)


def _checksum(path: Path) -> str | None:
    """Return the SHA-256 of a scan's file; None if it cannot be read."""
    try:
        return sha256_file(path)
    except OSError:
        return None


def _save(volume: np.ndarray, path: Path) -> None:
    import gzip

    import nibabel

    image = nibabel.Nifti1Image(volume, MNI_AFFINE)
    image.header.set_xyzt_units("mm")
    image.set_sform(MNI_AFFINE, "mni")
    image.set_qform(MNI_AFFINE, "mni")
    with atomic_path(path) as temporary:
        # Without the time of writing, so that the same scan gives the same bytes.
        temporary.write_bytes(gzip.compress(image.to_bytes(), compresslevel=6, mtime=0))
