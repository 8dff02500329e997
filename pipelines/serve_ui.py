"""Show the runs in MLflow's own pages, on this machine only.

Command: ``python -m pipelines.serve_ui --results DIR [--port 5000]`` (``make ui``)
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.tracking import pages, store
from pipelines.tracking.environment import quiet
from pipelines.tracking.places import follow_folder
from structnets.foreign.address import Address
from structnets.foreign.shown import printable_lines

_HOST = "127.0.0.1"


def server_command(results: Path, port: int) -> list[str]:
    """Return the command that serves the embedded store.

    Raises
    ------
    FileNotFoundError
        If there is no store yet.
    OSError
        If the port is taken.
    """
    database = store.database(results)
    if not database.exists():
        raise FileNotFoundError(
            f"there is no MLflow store at {database} yet; run `make demo`, or name the results "
            "folder of an earlier run with --results"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise OSError(
                f"port {port} on {_HOST} cannot be used ({error.strerror}); choose another with "
                "--port"
            ) from error
    command = [sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port)]
    for kind in ("backend", "registry"):
        command += [f"--{kind}-store-uri", f"sqlite:///{database}"]
    command += ["--artifacts-destination", (database.parent / "mlartifacts").as_uri()]
    command += ["--workers", "1", "--app-name", pages.NAME]
    # No line for each request. Ctrl-C reaches the server twice, from the terminal and from the
    # process that started it; with a lifespan the second would end it in a traceback.
    return [*command, "--uvicorn-opts", "--no-access-log --lifespan off"]


def server_environment() -> dict[str, str]:
    """Return what the server's environment has beside the present one."""
    paths = [*map(str, pages.PLUGIN), os.environ.get("PYTHONPATH", "")]
    return {
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        # The pages need none of the background jobs (judges, scorers) that it would start.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": os.environ.get(
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"
        ),
    }


def where_to_look(results: Path, port: int) -> list[str]:
    """Return the lines that say where a browser finds what.

    The addresses ask for the view for trainings: a browser may have chosen another one.
    """
    page = f"http://{_HOST}:{port}"
    with contextlib.closing(sqlite3.connect(store.database(results))) as database:
        experiments = database.execute(
            "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active' "
            "AND EXISTS (SELECT 1 FROM runs WHERE runs.experiment_id = experiments.experiment_id) "
            "ORDER BY name"
        ).fetchall()
    width = max((len(name) for _, name in experiments), default=0)
    return [
        f"MLflow: {page}  (Ctrl-C ends it)",
        *(
            f"  {printable_lines(name):{width}}  {page}/#/experiments/{number}/runs"
            "?workflowType=machine_learning"
            for number, name in experiments
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: becomes the server, until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.serve_ui", description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="root of the results")
    parser.add_argument("--port", type=int, default=5000, help="port on 127.0.0.1")
    given = parser.parse_args(arguments)
    address = Address(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if address.is_server:
        print(f"MLFLOW_TRACKING_URI names a server: open {address}")
        return 0
    try:
        command = server_command(given.results, given.port)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    quiet()
    follow_folder(store.database(given.results))
    print("\n".join(where_to_look(given.results, given.port)), flush=True)
    os.execve(command[0], command, os.environ | server_environment())


if __name__ == "__main__":
    sys.exit(main())
