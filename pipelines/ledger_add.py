"""Append local results to the committed ledger.

Command: ``python -m pipelines.ledger_add --results DIR --ledger workflow/ledger [RUN_ID …]``
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

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
    parser = argparse.ArgumentParser(prog="ledger_add", description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="root of the results")
    parser.add_argument("--ledger", type=Path, required=True, help="folder of the ledger")
    parser.add_argument("run_ids", nargs="*", help="runs (default: all but smoke)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        added = ledger_add(given.results.expanduser().absolute(), given.ledger, given.run_ids)
    except (OSError, ValueError) as error:
        print(f"ledger_add: {error}", file=sys.stderr)
        return 1
    log.info("%d runs in %s: %s", len(added), given.ledger, ", ".join(added) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
