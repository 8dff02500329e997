"""Append local results, and numbers of local analyses and sweeps, to the committed ledger.

Command: ``python -m pipelines.ledger_add --results DIR --ledger workflow/ledger [ID …]``
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import run_stage, stage_parser
from structnets.reporting.analysis_lines import append_findings, local_findings
from structnets.reporting.cells import local_lines
from structnets.reporting.ledger import append, read_ledger
from structnets.reporting.sweep_lines import append_sweeps, local_sweeps

log = logging.getLogger("ledger_add")


def ledger_add(results: Path, ledger: Path, ids: Sequence[str] = ()) -> list[str]:
    """Append runs, analyses and sweeps to the ledger, replacing earlier lines of the same.

    A run that stands there already and was confirmed on later code keeps its confirmation.

    Parameters
    ----------
    results : pathlib.Path
        Root of the results.
    ledger : pathlib.Path
        Folder of the ledger.
    ids : sequence of str
        The runs, analyses and sweeps; by default all but those of smoke.

    Returns
    -------
    list of str
        What was added.

    Raises
    ------
    ValueError
        If a named one has no result here, or is of the smoke preset; nothing is written then.
    """
    runs, analyses = local_lines(results), local_findings(results)
    sweeps = local_sweeps(results)
    lines = {**runs, **analyses, **sweeps}
    missing = sorted(set(ids) - lines.keys())
    if missing:
        raise ValueError(
            f"no result.json below {results / 'runs'} or {results / 'sweeps'}, nor values in "
            f"{results / 'analyses'}, for {', '.join(missing)}"
        )
    smoke = {name for name, line in lines.items() if _preset(line) == "smoke"}
    refused = sorted(smoke & set(ids))
    if refused:
        raise ValueError(f"smoke runs prove the wiring and stay out: {', '.join(refused)}")
    chosen = sorted(ids or lines.keys() - smoke)
    for name in chosen:
        if str(lines[name]["commit"]).endswith("-dirty"):
            log.warning("%s was measured with uncommitted changes; its line says so", name)
    held = read_ledger(ledger)
    new = [n for n in chosen if n in runs and not _is_confirmed(runs[n], held.get(n, {}))]
    append(ledger, [runs[name] for name in new])
    append_findings(ledger, [analyses[name] for name in chosen if name in analyses])
    append_sweeps(ledger, [sweeps[name] for name in chosen if name in sweeps])
    return chosen


def _is_confirmed(line: dict[str, Any], held: dict[str, Any]) -> bool:
    """Say whether the held line is this one, confirmed since."""
    kept = {key: held.get(key) for key in ("code_digest", "confirmed")}
    filled = {key: held[key] for key in ("first_losses", "weights_digest") if key in held}
    return held == {**filled, **line, **kept}


def _preset(line: dict[str, Any]) -> str:
    return line["spec"]["preset"] if "spec" in line else line["preset"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = stage_parser(__doc__, "results")
    parser.add_argument("--ledger", type=Path, required=True, help="folder of the ledger")
    parser.add_argument("ids", nargs="*", help="runs, analyses and sweeps (default: all but smoke)")
    given = parser.parse_args(arguments)

    def action() -> None:
        added = ledger_add(given.results, given.ledger, given.ids)
        log.info("%d lines in %s: %s", len(added), given.ledger, ", ".join(added) or "none")

    return run_stage("ledger_add", action)


if __name__ == "__main__":
    sys.exit(main())
