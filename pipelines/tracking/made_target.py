"""Telling MLflow of a target that was made."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.tracking.cross_validations import CrossValidation

log = logging.getLogger("made_target")


def log_made(
    target: str,
    preset: str,
    files: Mapping[str, Path],
    run_ids: Sequence[str],
    results: Path,
    scratch: Path,
    tags: Mapping[str, Any] | None = None,
    note: str = "",
    metrics: Mapping[str, float] | None = None,
) -> None:
    """Log a target to MLflow; whatever happens there is a warning, since its files stand.

    Parameters
    ----------
    target, preset : str
        ``figure6``, ``small``.
    files : mapping
        Name in MLflow → file.
    run_ids : sequence of str
        Trainings that it shows.
    results, scratch : pathlib.Path
        Roots.
    tags : mapping, optional
        Of the run of the target.
    note, metrics
        Its description, and its numbers by name.
    """
    try:
        from pipelines.tracking import log_target

        log_target(
            None,
            results,
            target,
            preset=preset,
            files=files,
            run_ids=run_ids,
            spool=scratch / "targets" / f"{target}-{preset}" / "spool",
            tags=tags,
            note=note,
            metrics=metrics,
        )
    except Exception as error:
        log.warning("%s was made but not logged to MLflow: %s", target, error)


def log_folds(found: CrossValidation, results: Path, scratch: Path) -> None:
    """Log a cross-validation to MLflow; whatever happens there is a warning."""
    try:
        from pipelines.tracking.cross_validations import log_cross_validation

        spool = scratch / "targets" / found.name / "spool"
        log_cross_validation(None, results, found, spool)
    except Exception as error:
        log.warning("%s was not logged to MLflow: %s", found.name, error)
