"""Append local results to the committed ledger.

Command: ``python -m pipelines.ledger_add --results DIR --ledger workflow/ledger [RUN_ID …]``
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import run_stage, stage_parser
from structnets.reporting.cells import local_lines
from structnets.reporting.ledger import append

log = logging.getLogger("ledger_add")


def ledger_add(results: Path, ledger: Path, run_ids: Sequence[str] = ()) -> list[str]:
    """Append runs to the ledger, replacing earlier lines of the same runs.

    Parameters
    ----------
    results : pathlib.Path
        Root of the results.
    ledger : pathlib.Path
        Folder of the ledger.
    run_ids : sequence of str
        The runs; by default all but those of smoke.

    Returns
    -------
    list of str
        The runs that were added.

    Raises
    ------
    ValueError
        If a named run has no result here, or is of the smoke preset; nothing is written then.
    """
    lines = local_lines(results)
    missing = sorted(set(run_ids) - lines.keys())
    if missing:
        raise ValueError(f"no result.json below {results / 'runs'} for {', '.join(missing)}")
    smoke = {run for run, line in lines.items() if line["spec"]["preset"] == "smoke"}
    refused = sorted(smoke & set(run_ids))
    if refused:
        raise ValueError(f"smoke runs prove the wiring and stay out: {', '.join(refused)}")
    chosen = sorted(run_ids or lines.keys() - smoke)
    for run in chosen:
        if str(lines[run]["commit"]).endswith("-dirty"):
            log.warning("%s was measured with uncommitted changes; its line says so", run)
    append(ledger, [lines[run] for run in chosen])
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = stage_parser(__doc__, "results")
    parser.add_argument("--ledger", type=Path, required=True, help="folder of the ledger")
    parser.add_argument("run_ids", nargs="*", help="runs (default: all but smoke)")
    given = parser.parse_args(arguments)

    def action() -> None:
        added = ledger_add(given.results, given.ledger, given.run_ids)
        log.info("%d runs in %s: %s", len(added), given.ledger, ", ".join(added) or "none")

    return run_stage("ledger_add", action)


if __name__ == "__main__":
    sys.exit(main())
