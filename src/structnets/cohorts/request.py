"""What a spec asks of a cohort: which scans, which steps, which folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.cohorts import layouts
from structnets.cohorts.fixed_split import read_split, restrict
from structnets.cohorts.fold_sizes import (
    group_of,
    refuse_few,
    refuse_few_groups,
    refuse_few_scored,
    subjects_of_classes,
)
from structnets.cohorts.listing import Listing, Scan, with_traits
from structnets.cohorts.naming import path_part
from structnets.cohorts.sheet import without_zeros
from structnets.data.sets.entries.catalogue import check_parameters, find_dataset
from structnets.foreign.near_names import refuse_near_names
from structnets.forms.cohort.covariate_columns import named_columns, refuse_unusable
from structnets.identity import digest

if TYPE_CHECKING:
    from structnets.imaging.grid import FieldOfView
    from structnets.imaging.subject import Steps

_STEPS = ("bias_field", "strip", "registration")
# What concerns the gathering alone; registered scans are shared between its values.
_OF_GATHERING = (
    *("split", "grid_mm", "field_of_view", "folds", "exclude_failed", "exclude", "keep", "content"),
    *("leave_out", "covariates", "regress_out"),
)
# What decides which scans are listed.
_OF_LISTING = (
    *("layout", "label_column", "classes", "sessions", "exclude"),
    *("covariates", "leave_out", "regress_out"),
)
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
    folder : Path, optional
        Where it lies, if not at its place below the folder of all originals.
    """

    name: str
    prepare: Mapping[str, Any]
    folder: Path | None = None

    def __post_init__(self) -> None:
        if not find_dataset(self.name).cohort:
            raise ValueError(f"{self.name} is no cohort")
        check_parameters(self.name, self.prepare)
        if self.split is not None:
            path_part(self.split, "split", "prepare parameter 'split'")
            for key in ("folds", "sessions"):
                if key in self.prepare:
                    raise ValueError(f"prepare parameter {key!r} has no use with 'split'; leave it")
        if self.prepare.get("folds", 2) < 2:
            raise ValueError(f"prepare parameter 'folds' must be 2 or more, got {self.folds}")
        if self.leave_out is not None and self.leave_out in named_columns(self.prepare):
            raise ValueError(
                f"prepare parameter 'regress_out' names {self.leave_out}, which 'leave_out' holds "
                "out: nothing can be fitted of what training never sees; take it out of one"
            )
        label = self.prepare.get("label_column")
        if self.scored and label and label in (self.leave_out, *named_columns(self.prepare)):
            raise ValueError(
                f"prepare parameters 'regress_out' and 'leave_out' cannot name {label}, the score "
                "that is to be estimated"
            )
        if self.leave_out is not None and "folds" in self.prepare:
            raise ValueError("prepare parameters 'folds' and 'leave_out' are two ways; give one")
        if both := sorted(set(self.exclude) & set(self.keep)):
            raise ValueError(
                f"prepare parameters 'exclude' and 'keep' both name {', '.join(both)}; decide"
            )

    @property
    def scored(self) -> bool:
        """Whether people have a score each, in place of a class."""
        return find_dataset(self.name).form == "scores"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; of two, the negative first. None of a cohort with scores."""
        if self.scored:
            return ()
        if self.name != "cohort":
            return find_dataset(self.name).classes
        names = tuple(part.strip() for part in self._needed("classes").split(","))
        different = {without_zeros(name) for name in names}
        if len(names) < 2 or len(different) < len(names) or not all(names):
            raise ValueError(
                "prepare parameter 'classes' must name two classes or more, of two the negative "
                f"first, such as 'control,patient'; got {self.prepare['classes']!r}"
            )
        refuse_near_names(names, "classes")
        return names

    @property
    def grid_mm(self) -> int:
        """Edge of the voxels in mm."""
        return self.prepare.get("grid_mm", 2)

    @property
    def field_of_view(self) -> FieldOfView:
        """Whether the whole of the grid is seen, or the box around the brain."""
        return self.prepare.get("field_of_view", "whole")

    @property
    def folds(self) -> int:
        """Number of folds; with a fixed split, its test images are the only one."""
        return 1 if self.split else self.prepare.get("folds", 10)

    @property
    def split(self) -> str | None:
        """Name of the list that fixes which images are trained and tested on, if there is one."""
        return self.prepare.get("split")

    @property
    def leave_out(self) -> str | None:
        """What is left out whole, instead of folds: ``subject``, or a column such as a site."""
        return self.prepare.get("leave_out")

    @property
    def traits(self) -> tuple[str, ...]:
        """Columns of the table that are told of each subject: covariates, and what is left out."""
        named = (*named_columns(self.prepare, "covariates"), *named_columns(self.prepare))
        grouped = (self.leave_out,) if self.leave_out not in (None, "subject") else ()
        return tuple(dict.fromkeys(filter(None, (*named, *grouped))))

    @property
    def exclude(self) -> tuple[str, ...]:
        """Subjects, scans and patterns of file names that are left out."""
        return self._names("exclude")

    @property
    def keep(self) -> tuple[str, ...]:
        """Flagged scans that are used all the same."""
        return self._names("keep")

    @property
    def exclude_failed(self) -> bool:
        """Whether scans that fail quality control, or cannot be used, are left out."""
        return bool(self.prepare.get("exclude_failed"))

    @property
    def content(self) -> str | None:
        """Digest of a cohort of one's own (`structnets.cohorts.content`), if it is asked for."""
        return self.prepare.get("content")

    @property
    def sessions(self) -> str:
        """Whether each subject's ``"first"`` session is taken, or ``"all"``."""
        if self.split:  # the list names images
            return "all"
        return self.prepare.get("sessions", "first")

    def list_scans(self, data_root: Path) -> Listing:
        """List the cohort's scans by names of files and the tables alone.

        Raises
        ------
        FileNotFoundError, ValueError
            As the layout's reader says; also if a class has fewer subjects than there are folds, or
            two subjects have nearly one name.
        """
        listing = self._listed(data_root, self.sessions, self.exclude)
        if self.split:
            path = data_root / self.name / "splits" / f"{self.split}.csv"
            listing = restrict(listing, read_split(path), path)
        people = {scan.subject: scan.traits for scan in listing.scans}
        refuse_near_names(people, "subjects")
        refuse_unusable(named_columns(self.prepare), people)
        if self.leave_out is not None:
            refuse_few_groups(self.leave_out, [group_of(self.leave_out, s) for s in listing.scans])
            return listing
        if self.scored:
            refuse_few_scored(len(people), self.folds)
        else:
            refuse_few(subjects_of_classes(listing.scans, self.classes), self.folds)
        return listing

    def find_scan(self, data_root: Path, name: str) -> Scan:
        """Return the scan of a name, one that this request excludes as well.

        Requests that differ in what they exclude share their registered scans.

        Raises
        ------
        ValueError
            If the cohort has no such scan.
        """
        for sessions, exclude in ((self.sessions, self.exclude), ("all", ())):
            for scan in self._listed(data_root, sessions, exclude).scans:
                if scan.name == name:
                    return scan
        raise ValueError(f"{self.name} has no scan {name!r} in {data_root}")

    def scan_at(self, path: Path, name: str) -> Scan:
        """Return the scan in a file that a listing has found, without listing again."""
        axes = layouts.oasis_axes(path) if self.name == "oasis_ad126" else None
        return Scan(path_part(name, "scan", path), "", path, "", axes)

    def folder_in(self, data_root: Path) -> Path:
        """Return where the cohort lies."""
        if self.folder is not None:
            return self.folder
        return oasis_folder(data_root) if self.name == "oasis_ad126" else data_root / self.name

    def tables(self, data_root: Path) -> list[Path]:
        """List the tables of labels that a listing reads."""
        folder = self.folder_in(data_root)
        if self.name == "adni":
            return sorted(path for path in folder.glob("*.csv") if not path.name.startswith("."))
        if self.name == "oasis_ad126":
            return [folder / "oasis_cross-sectional.csv"]
        of_folder = self.prepare.get("layout") == "folder"
        return [folder / ("labels.csv" if of_folder else "participants.tsv")]

    def listed_as(self) -> str:
        """Name what decides which scans are listed, and under which labels."""
        chosen = {key: self.prepare[key] for key in _OF_LISTING if key in self.prepare}
        place = [] if self.folder is None else [str(self.folder)]
        return f"{self.name}-{digest([chosen, *place])[:8]}"

    def _listed(self, data_root: Path, sessions: str, exclude: tuple[str, ...]) -> Listing:
        folder = self.folder_in(data_root)
        if self.name == "oasis_ad126":
            return layouts.list_oasis(folder, sessions, exclude)
        if self.name == "adni":
            return layouts.list_adni(folder, self.classes, sessions, exclude)
        read = layouts.list_folder if self.prepare.get("layout") == "folder" else layouts.list_bids
        column = self._needed("label_column")
        found = read(folder, column, self.classes, sessions, exclude)
        key = "file" if self.prepare.get("layout") == "folder" else "participant_id"
        return with_traits(found, self.tables(data_root)[0], key, self.traits, folder)

    def steps(self) -> Steps:
        """Return what is done to each scan."""
        from structnets.imaging.subject import Steps

        return Steps(**{key: self.prepare[key] for key in _STEPS if key in self.prepare})

    def of_scans(self) -> dict[str, Any]:
        """Return the parameters that concern a scan, not the gathering."""
        if self.folder is not None:
            return {key: self.prepare[key] for key in _STEPS if key in self.prepare}
        return {key: v for key, v in self.prepare.items() if key not in _OF_GATHERING}

    @property
    def scans_of(self) -> str:
        """The data set that scans are registered for: of a folder one, whatever is asked of it."""
        return self.name if self.folder is None else "cohort"

    def subjects_name(self) -> str:
        """Name the folder of registered scans, which all grids and numbers of folds share."""
        chosen = self.of_scans()
        if self.folder is not None:
            return f"{self.scans_of}-{digest([chosen, str(self.folder)])[:8]}"
        return f"{self.name}-{digest(chosen)[:8]}" if chosen else self.name

    def _names(self, key: str) -> tuple[str, ...]:
        names = self.prepare.get(key, [])
        if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
            raise ValueError(
                f"prepare parameter {key!r} must be a list of names such as ['sub-05'], got "
                f"{names!r}"
            )
        return tuple(names)

    def _needed(self, key: str) -> str:
        if key not in self.prepare:
            raise ValueError(f"the data set {self.name!r} needs the prepare parameter {key!r}")
        return self.prepare[key]


def oasis_folder(data_root: Path) -> Path:
    """Return where OASIS-1 lies: ``oasis1``, or the registered ``mri/oasis1_mni2mm``."""
    ready = data_root / "mri" / "oasis1_mni2mm"
    return ready if ready.is_dir() and not (data_root / "oasis1").is_dir() else data_root / "oasis1"
