"""Make the MLflow store ready, once, before anything runs in parallel.

Creates or upgrades the schema, and creates the experiments. Starting several processes on a fresh
store without this makes them trip over each other; this command itself may be started twice.

Command: ``python -m pipelines.track_init --results DIR [--uri URI] --out FILE``
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.tracking import store
from pipelines.tracking.experiments import CHAPTERS, TARGETS, drop_unused, experiment_id
from structnets.files import write_json
from structnets.foreign.shown import log_to

log = logging.getLogger("structnets.tracking")


def prepare_store(uri: str | None, results: str | os.PathLike[str]) -> dict[str, Any]:
    """Create or upgrade the store and its experiments.

    Returns
    -------
    dict
        ``uri`` (without a password), ``experiments`` (name → MLflow's id) and ``reachable``,
        which is False for a server that is away: trainings then write to their spools.
    """
    where = store.resolve_uri(uri, results)
    marker: dict[str, Any] = {"uri": str(where), "experiments": {}}
    try:
        if not where.is_server:
            store.create_schema(where)
        client = store.connect(where, results)
        for name in (*CHAPTERS, TARGETS):
            marker["experiments"][name] = experiment_id(client, where, results, name)
        if not where.is_server:
            drop_unused(client)
    except Exception as error:
        if not where.is_server:
            raise
        log.warning(
            "%s. Going on: runs are recorded in their spools; send them later with "
            "`python -m pipelines.tracking flush`",
            store.reason(error, where),
        )
        return marker | {"reachable": False}
    return marker | {"reachable": True}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.track_init", description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="root of the results")
    parser.add_argument("--uri", help="tracking URI (default: MLFLOW_TRACKING_URI, else embedded)")
    parser.add_argument("--out", type=Path, required=True, help="marker to write (JSON)")
    given = parser.parse_args(arguments)
    log_to(sys.stderr, "%(message)s")
    write_json(given.out, prepare_store(given.uri, given.results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
