"""Gather the registered scans of a cohort: quality control page, folds, prepared arrays.

python -m pipelines.prepare_mri --data-json '{"name": "oasis_ad126", "prepare": {"grid_mm": 4}}'
    --data-root DIR --subjects PREPARED/subjects/oasis_ad126 --out PREPARED/oasis_ad126-…
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.cohorts.assembly import assemble
from structnets.cohorts.decisions import PAGE
from structnets.cohorts.listing import Scan
from structnets.cohorts.quality_page import write_page
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.simulated import NAME, write_simulated
from structnets.cohorts.subject_files import SubjectFiles, make_subject, read_subject
from structnets.data.sets.entries.catalogue import read_request
from structnets.figures.registration_overlay import draw_overlay

logger = logging.getLogger("prepare_mri")


def prepare_mri(
    request: CohortRequest, data_root: Path, subjects: Path, out: Path, *, register: bool = False
) -> dict[str, Any]:
    """Write the quality page beside the registered scans, and the prepared cohort `out`.

    Parameters
    ----------
    request : CohortRequest
        Which cohort, and how.
    data_root : Path
        Where the originals lie.
    subjects : Path
        Folder of the registered scans.
    out : Path
        Folder of the prepared cohort.
    register : bool
        Register scans whose files are missing, one after the other. Those of a scan that has
        changed since are made again in any case, also if it had failed.

    Returns
    -------
    dict
        The manifest of `out`.

    Raises
    ------
    OSError, ValueError
        As `CohortRequest.list_scans` and `structnets.cohorts.assembly.assemble` say.
    """
    listing = request.list_scans(data_root)
    made = [_made(request, scan, subjects, register=register) for scan in listing.scans]
    for what, why in listing.left_out:
        logger.warning("left out: %s %s", what, why)
    for what, how in listing.taken:
        logger.info("taken: %s: %s", what, how)
    for files in made:
        if files.problems:
            logger.warning("flagged: %s: %s", files.name, "; ".join(files.problems))
    title = f"Quality of {request.name}"
    write_page(subjects / PAGE, title, listing, made, excluded=request.exclude_failed)
    return assemble(request, listing, made, out)


def _made(request: CohortRequest, scan: Scan, subjects: Path, *, register: bool) -> SubjectFiles:
    """Return a scan's files, made anew if they are of another file than lies there now."""
    if not register or (subjects / f"{scan.name}.json").is_file():
        files = read_subject(subjects, scan.name)
        if files.is_of(scan):
            return files
        logger.warning("%s has changed since %s was made; made again", scan.path, scan.name)
    return make_subject(scan, request.steps(), subjects, draw_overlay)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-json", required=True, help="data object of a spec")
    parser.add_argument("--data-root", type=absolute, help="original data")
    parser.add_argument("--folder", type=absolute, help="the cohort, if it lies elsewhere")
    parser.add_argument("--subjects", type=absolute, help="folder of the registered scans")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--register", action="store_true", help="register scans not yet there")
    options = parser.parse_args(arguments)

    def action() -> None:
        request = CohortRequest(*read_request(options.data_json), folder=options.folder)
        if request.name == NAME:
            manifest = write_simulated(request, options.out)
        elif options.data_root is None or options.subjects is None:
            raise ValueError(f"{request.name} needs --data-root and --subjects")
        else:
            manifest = prepare_mri(
                request,
                options.data_root,
                options.subjects,
                options.out,
                register=options.register,
            )
        logger.info("%s holds %s, digest %s", options.out, request.name, manifest["digest"])

    return run_stage("prepare_mri", action)


if __name__ == "__main__":
    sys.exit(main())
