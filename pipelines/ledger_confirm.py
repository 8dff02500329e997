"""Confirm ledger lines whose code has changed since, where it computes the same.

Command: ``python -m pipelines.ledger_confirm --results DIR --prepared DIR --ledger DIR [RUN …]``

Every run's first epochs are trained anew and its published weights are measured anew
(`structnets.training.confirmation`). A line that agrees gets today's code digest and says at
which commit it was confirmed; one that does not stays as it is, marked stale in the tables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.identity import prepared_name
from structnets.reporting.ledger import append, read_ledger
from structnets.training import provenance
from structnets.training.confirmation import confirm

log = logging.getLogger("ledger_confirm")


def ledger_confirm(
    results: Path, prepared: Path, ledger: Path, run_ids: Sequence[str], epochs: int
) -> dict[str, list[str]]:
    """Confirm lines of the ledger and write those that agree.

    Parameters
    ----------
    results, prepared, ledger : pathlib.Path
        Root of the published runs, root of the prepared data, folder of the ledger.
    run_ids : sequence of str
        The runs; by default all stale ones that are published here.
    epochs : int
        How many epochs of each are trained anew.

    Returns
    -------
    dict of str to list of str
        By run, why it was not confirmed; empty lists of those that were.

    Raises
    ------
    ValueError
        If the checkout has uncommitted changes, or a named run is not in the ledger or not
        published here.
    """
    git = provenance.git_state()
    if git["dirty"]:
        raise ValueError("the checkout has uncommitted changes: a confirmation names a commit")
    lines = read_ledger(ledger)
    folder = results / "runs"
    missing = [run for run in run_ids if run not in lines or not (folder / run).is_dir()]
    if missing:
        raise ValueError(f"not both in {ledger} and below {folder}: {', '.join(missing)}")
    here = [run for run in lines if (folder / run).is_dir() and _stale(lines[run])]
    outcome = {}
    for run in run_ids or here:
        line = lines[run]
        try:
            found = confirm(folder / run, prepared / prepared_name(line["spec"]["data"]), epochs)
        except ValueError as error:
            found = [str(error)]
        outcome[run] = found
        log.info("%s: %s", run, "; ".join(found) or f"confirmed over {epochs} epochs")
        if not found:
            code = provenance.code_digest(line["spec"])
            confirmed = {"commit": git["sha"], "epochs": epochs}
            append(ledger, [{**line, "code_digest": code, "confirmed": confirmed}])
    return outcome


def _stale(line: dict[str, Any]) -> bool:
    return provenance.code_digest(line["spec"]) != line["code_digest"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = stage_parser(__doc__, "results", "prepared")
    parser.add_argument("--ledger", type=absolute, required=True, help="folder of the ledger")
    parser.add_argument("--epochs", type=int, default=2, help="epochs trained anew (default: 2)")
    parser.add_argument("run_ids", nargs="*", help="runs (default: all stale ones found here)")
    given = parser.parse_args(arguments)

    def action() -> None:
        outcome = ledger_confirm(
            given.results, given.prepared, given.ledger, given.run_ids, given.epochs
        )
        confirmed = sum(not found for found in outcome.values())
        log.info("%d of %d runs confirmed", confirmed, len(outcome))

    return run_stage("ledger_confirm", action)


if __name__ == "__main__":
    sys.exit(main())
