"""Register one scan of a cohort to MNI152 and measure it; one job of the workflow.

python -m pipelines.prepare_mri_subject --data-json '{"name": "oasis_ad126"}' --data-root DIR
    --scan OAS1_0001_MR1 --out PREPARED/subjects/oasis_ad126
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.subject_files import make_subject
from structnets.data.sets.entries.catalogue import read_request
from structnets.figures.registration_overlay import draw_overlay

logger = logging.getLogger("prepare_mri_subject")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-json", required=True, help="data object of a spec")
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--scan", required=True, help="name of the scan")
    parser.add_argument("--file", type=Path, help="its file, where a plan has listed the cohort")
    parser.add_argument("--out", type=absolute, required=True, help="folder of registered scans")
    options = parser.parse_args(arguments)

    def action() -> None:
        request = CohortRequest(*read_request(options.data_json))
        if options.file is None:
            scan = request.find_scan(options.data_root, options.scan)
        else:
            scan = request.scan_at(options.file.absolute(), options.scan)
        made = make_subject(scan, request.steps(), options.out, draw_overlay)
        logger.info("%s: %s", scan.name, "; ".join(made.problems) or "passed")

    return run_stage("prepare_mri_subject", action)


if __name__ == "__main__":
    sys.exit(main())
