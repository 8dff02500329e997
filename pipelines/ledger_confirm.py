"""Confirm ledger lines whose code has changed since, where it computes the same.

Command: ``python -m pipelines.ledger_confirm --prepared DIR --ledger DIR [--results DIR] [RUN …]``

Every run's first epochs are trained anew and compared with the losses in its line
(`structnets.training.confirmation`). The files of the run are not needed; where they are at hand,
its published weights are measured anew too. A line that agrees gets today's code digest and says at
which commit it was confirmed, and how closely; one that does not stays as it is, marked stale in
the tables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.entries import add_trust
from structnets.identity import prepared_name
from structnets.reporting.freshness import is_stale
from structnets.reporting.ledger import Line, append, read_ledger
from structnets.training import provenance
from structnets.training.code_digest import code_digest
from structnets.training.confirmation import Confirmation, confirm

log = logging.getLogger("ledger_confirm")


def ledger_confirm(
    results: Path | None,
    prepared: Path,
    ledger: Path,
    run_ids: Sequence[str],
    epochs: int = 2,
    tolerance: float = 0.0,
    trusted: Sequence[str] = (),
) -> dict[str, list[str]]:
    """Confirm lines of the ledger and write those that agree.

    Parameters
    ----------
    results : pathlib.Path or None
        Root of the published runs, where some are at hand.
    prepared, ledger : pathlib.Path
        Root of the prepared data, folder of the ledger.
    run_ids : sequence of str
        The runs; by default all stale ones that can be compared here.
    epochs : int
        How many epochs of each are trained anew.
    tolerance : float
        Relative difference of losses that is let pass as rounding.
    trusted : sequence of str
        Objects outside the library (``package.module:object``) that runs may be made with.

    Returns
    -------
    dict of str to list of str
        By run, why it was not confirmed; empty lists of those that were.

    Raises
    ------
    ValueError
        If the checkout has uncommitted changes, or a named run is not in the ledger, or neither
        its line nor a published run tells its first losses.
    """
    git = provenance.git_state()
    if git["dirty"]:
        raise ValueError("the checkout has uncommitted changes: a confirmation names a commit")
    lines = read_ledger(ledger)
    published = {run: folder for run in lines if (folder := _published(results, run))}
    able = {run for run in lines if run in published or "first_losses" in lines[run]}
    if missing := [run for run in run_ids if run not in able]:
        raise ValueError(
            f"not in {ledger}, or there without first losses and not below --results: "
            f"{', '.join(missing)}"
        )
    outcome = {}
    for run in run_ids or [run for run in lines if run in able and is_stale(lines[run])]:
        line = lines[run]
        try:
            found = confirm(
                line,
                prepared / prepared_name(line["spec"]["data"]),
                published.get(run),
                epochs=epochs,
                tolerance=tolerance,
                trusted=trusted,
            )
        except (ValueError, OSError) as error:
            outcome[run], told = [str(error)], ""
        else:
            outcome[run], told = found.differences, f"confirmed, {found.record()}"
            if read_ledger(ledger).get(run) != line:
                outcome[run] = ["its line in the ledger has changed meanwhile: confirm it again"]
            elif not found.differences:
                append(ledger, [_confirmed(found, git["sha"])])
        log.info("%s: %s", run, "; ".join(outcome[run]) or told)
    return outcome


def _published(results: Path | None, run: str) -> Path | None:
    folder = results / "runs" / run if results else None
    return folder if folder and folder.is_dir() else None


def _confirmed(found: Confirmation, commit: str) -> Line:
    """Return a line that is confirmed, with what the next confirmation needs."""
    return {
        **found.line,
        "code_digest": code_digest(found.line["spec"]),
        "confirmed": {"commit": commit, **found.record()},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = stage_parser(__doc__, "prepared")
    parser.add_argument("--results", type=absolute, help="root of published runs, if at hand")
    parser.add_argument("--ledger", type=absolute, required=True, help="folder of the ledger")
    parser.add_argument("--epochs", type=int, default=2, help="epochs trained anew (default: 2)")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        help="relative difference of losses let pass as rounding (default: 0, equal to the bit)",
    )
    add_trust(parser)
    parser.add_argument("run_ids", nargs="*", help="runs (default: all stale ones that can be)")
    given = parser.parse_args(arguments)

    def action() -> None:
        outcome = ledger_confirm(
            given.results,
            given.prepared,
            given.ledger,
            given.run_ids,
            given.epochs,
            given.tolerance,
            given.trust,
        )
        confirmed = sum(not found for found in outcome.values())
        log.info("%d of %d runs confirmed", confirmed, len(outcome))

    return run_stage("ledger_confirm", action)


if __name__ == "__main__":
    sys.exit(main())
