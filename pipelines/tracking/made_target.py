"""Telling MLflow of a target that was made."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger("made_target")


def log_made(
    target: str,
    preset: str,
    files: Mapping[str, Path],
    run_ids: Sequence[str],
    results: Path,
    scratch: Path,
    tags: Mapping[str, Any] | None = None,
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
        )
    except Exception as error:
        log.warning("%s was made but not logged to MLflow: %s", target, error)
