"""What a spec asks of a cohort: which scans, which steps, which folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.cohorts import layouts
from structnets.cohorts.listing import Listing, Scan
from structnets.data.catalogue import check_parameters, find_dataset
from structnets.identity import digest

if TYPE_CHECKING:
    from structnets.imaging.subject import Steps

_STEPS = ("bias_field", "strip", "registration")
# What concerns the gathering alone; registered scans are shared between its values.
_OF_GATHERING = ("grid_mm", "folds", "exclude_failed")
REPETITIONS = 10


@dataclass(frozen=True)
class CohortRequest:
    """A cohort and the parameters of its preparation.

    Attributes
    ----------
    name : str
        Data set of the catalogue.
    prepare : mapping
        Its parameters, as far as they differ from the defaults.
    """

    name: str
    prepare: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not find_dataset(self.name).cohort:
            raise ValueError(f"{self.name} is no cohort")
        check_parameters(self.name, self.prepare)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the two classes, negative first."""
        if self.name != "cohort":
            return find_dataset(self.name).classes
        names = tuple(part.strip() for part in self._needed("classes").split(","))
        if len(set(names)) != 2 or not all(names):
            raise ValueError(
                "prepare parameter 'classes' must name two classes, the negative first, such as "
                f"'control,patient'; got {self.prepare['classes']!r}"
            )
        return names

    @property
    def grid_mm(self) -> int:
        """Edge of the voxels in mm."""
        return self.prepare.get("grid_mm", 2)

    @property
    def folds(self) -> int:
        """Number of folds."""
        return self.prepare.get("folds", 10)

    def list_scans(self, data_root: Path) -> Listing:
        """List the cohort's scans by names of files and the table of labels alone.

        Raises
        ------
        FileNotFoundError, ValueError
            As the layout's reader says.
        """
        sessions = self.prepare.get("sessions", "first")
        if self.name == "oasis_ad126":
            return layouts.list_oasis(oasis_folder(data_root), sessions)
        if self.name == "adni":
            return layouts.list_adni(data_root / "adni", self.classes, sessions)
        read = layouts.list_folder if self.prepare.get("layout") == "folder" else layouts.list_bids
        column = self._needed("label_column")
        return read(data_root / "cohort", column, self.classes, sessions)

    def find_scan(self, data_root: Path, name: str) -> Scan:
        """Return the scan of a name.

        Raises
        ------
        ValueError
            If the cohort has no such scan.
        """
        for scan in self.list_scans(data_root).scans:
            if scan.name == name:
                return scan
        raise ValueError(f"{self.name} has no scan {name!r} in {data_root}")

    def steps(self) -> Steps:
        """Return what is done to each scan."""
        from structnets.imaging.subject import Steps

        return Steps(**{key: self.prepare[key] for key in _STEPS if key in self.prepare})

    def subjects_name(self) -> str:
        """Name the folder of registered scans, which all grids and numbers of folds share."""
        chosen = {key: v for key, v in self.prepare.items() if key not in _OF_GATHERING}
        return f"{self.name}-{digest(chosen)[:8]}" if chosen else self.name

    def _needed(self, key: str) -> str:
        if key not in self.prepare:
            raise ValueError(f"the data set {self.name!r} needs the prepare parameter {key!r}")
        return self.prepare[key]


def oasis_folder(data_root: Path) -> Path:
    """Return where OASIS-1 lies: ``oasis1``, or the registered ``mri/oasis1_mni2mm``."""
    ready = data_root / "mri" / "oasis1_mni2mm"
    return ready if ready.is_dir() and not (data_root / "oasis1").is_dir() else data_root / "oasis1"
