"""Send what waits in spools to MLflow.

Command: ``python -m pipelines.tracking flush --results DIR --scratch DIR [--uri URI] [--again]``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.tracking.shipping import Shipper
from pipelines.tracking.spool import RECORD, Spool
from structnets.foreign.shown import log_to


def flush_all(
    uri: str | None, results: Path, scratch: Path, *, again: bool = False
) -> tuple[int, list[Path]]:
    """Send every spool below `scratch` that still waits.

    Parameters
    ----------
    again : bool
        Whether to send the others too, from their first line: for a store that was lost or an
        artifact that was deleted. Steps that MLflow still has are not logged twice.

    Returns
    -------
    sent : int
        Number of spools sent whole.
    left : list of Path
        Spools that still wait, in the order they were tried.
    """
    sent, left = 0, []
    # A sweep's parent lies above its trials and has to be there before them.
    records = sorted(scratch.rglob(RECORD), key=lambda path: (len(path.parts), path))
    for record in records:
        spool = Spool(record.parent)
        if again:
            spool.save_state(spool.state()[0], 0)
        if not spool.pending():
            continue
        if Shipper(spool, uri, results).ship(timeout=600.0):
            sent += 1
        else:
            left.append(spool.directory)
    return sent, left


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if something still waits."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.tracking", description=__doc__)
    commands = parser.add_subparsers(required=True)
    flush = commands.add_parser("flush", help="send what waits in spools to MLflow")
    flush.add_argument("--results", type=Path, required=True, help="root of the results")
    flush.add_argument("--scratch", type=Path, required=True, help="root of the working states")
    flush.add_argument("--uri", help="tracking URI (default: MLFLOW_TRACKING_URI, else embedded)")
    flush.add_argument("--again", action="store_true", help="send everything from the beginning")
    given = parser.parse_args(arguments)
    log_to(sys.stderr, "%(message)s")
    if not given.scratch.is_dir():
        parser.error(f"--scratch {given.scratch}: there is no such folder")
    sent, left = flush_all(given.uri, given.results, given.scratch, again=given.again)
    for directory in left:
        print(f"still waiting: {directory}", file=sys.stderr)
    print(f"{sent} spools sent, {len(left)} still waiting", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
