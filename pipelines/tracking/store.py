"""The connection to MLflow: where it is, its schema, and finding a run.

Only this package imports mlflow, and only inside functions, since the import takes seconds.

The store is the server named by ``MLFLOW_TRACKING_URI``, else ``sqlite:///<results>/mlflow.db``
with its artifacts in ``<results>/mlartifacts``. A server that other nodes reach must be told its
own names *with the port*, or it answers 403 "Invalid Host header":
``mlflow server --host 0.0.0.0 --allowed-hosts "login01:5000,login01.cluster:5000" …``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.tracking.environment import quiet
from pipelines.tracking.lines import Identity
from pipelines.tracking.places import ARTIFACTS, follow_folder
from pipelines.tracking.schema import has_tables, make_tables
from pipelines.tracking.spool import wait_for_lock
from structnets.foreign.address import Address
from structnets.foreign.shown import shortened

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_SQLITE = "sqlite:///"

# Errors that will not pass by themselves: the request is wrong, not the server away.
_REFUSALS = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE")

_SCHEMA_PATIENCE = 120.0


def resolve_uri(uri: str | None, results: str | os.PathLike[str]) -> Address:
    """Return the address: the one given, else the environment's, else the embedded store's."""
    found = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}{database(results)}"
    return Address.of(found)


def database(results: str | os.PathLike[str]) -> Path:
    """Return the file of the embedded store."""
    return Path(results).resolve() / "mlflow.db"


def exists(address: Address) -> bool:
    """Return whether there is a store there; one that is not a local file is taken to be."""
    return address.file is None or has_tables(Path(address.file))


def is_embedded(address: Address, results: str | os.PathLike[str]) -> bool:
    """Return whether the address is the store's that lies in the results folder."""
    return address.file is not None and Path(address.file).resolve() == database(results)


def artifact_location(
    address: Address, results: str | os.PathLike[str], experiment: str
) -> str | None:
    """Return where an experiment's artifacts go; None leaves it to the server."""
    if address.is_server:
        return None
    return (Path(results).resolve() / ARTIFACTS / experiment).as_uri()


def connect(uri: str | Address, results: str | os.PathLike[str] | None = None) -> MlflowClient:
    """Return a client, having made the schema of a new embedded store.

    Parameters
    ----------
    uri : str or Address
        Where it is.
    results : path, optional
        Root of the results. A store in it finds its artifacts there, also after it was moved.
    """
    address = Address.of(uri)
    address.hand_over()
    quiet()
    from mlflow import MlflowClient

    quiet()  # mlflow sets its loggers' levels when it is imported
    if not exists(address):
        create_schema(address)
    if results is not None and is_embedded(address, results):
        follow_folder(database(results))
    return MlflowClient(tracking_uri=address.client)


def create_schema(uri: str | Address) -> None:
    """Create or upgrade the schema of a database, one process at a time.

    Parameters
    ----------
    uri : str or Address
        A database (``sqlite:///…``, ``postgresql://…``). Processes that start together on a new
        SQLite file would add the same columns twice; a lock file beside it keeps them in line.
        One that is killed leaves no half of a schema.

    Raises
    ------
    TimeoutError
        If another process holds the lock for two minutes.
    """
    address = Address.of(uri)
    if address.file is None:
        make_tables(address)
        return
    file = Path(address.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(f"{file.name}.lock")
    with lock.open("w") as handle:
        if not wait_for_lock(handle.fileno(), _SCHEMA_PATIENCE):
            raise TimeoutError(
                f"{lock} has been held by another process for {_SCHEMA_PATIENCE:.0f} s; "
                f"look for one that is stuck creating {file}"
            )
        make_tables(address)


def find_run(client: MlflowClient, experiment: str, identity: Identity) -> Run | None:
    """Return the newest run with the identity's tag that is not deleted, or None.

    Parameters
    ----------
    experiment : str
        MLflow's id of the identity's experiment.
    """
    found = client.search_runs(
        [experiment],
        filter_string=f"tags.`{identity.tag}` = '{identity.value}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    return found[0] if found else None


def active_run(client: MlflowClient, mlflow_run_id: str) -> Run | None:
    """Return the run of this MLflow id, or None if it is deleted or unknown."""
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(mlflow_run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return run if run.info.lifecycle_stage == "active" else None


def all_runs(client: MlflowClient, experiments: Iterable[str]) -> Iterator[Run]:
    """Yield every run that is not deleted in experiments of these names, newest first."""
    known = [client.get_experiment_by_name(name) for name in experiments]
    ids = [found.experiment_id for found in known if found is not None]
    token: str | None = None
    while ids:
        page = client.search_runs(
            ids, order_by=["attributes.start_time DESC"], max_results=1000, page_token=token
        )
        yield from page
        token = page.token
        if not token:
            return


def is_refusal(error: Exception) -> bool:
    """Return whether MLflow refused a request for what it says, so that repeating is useless."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in _REFUSALS
    return isinstance(error, (FileNotFoundError, IsADirectoryError))


def reason(error: Exception, uri: str | Address) -> str:
    """Return why MLflow at `uri` did not answer, fit for a log, with what to do if it is known."""
    address = Address.of(uri)
    # Masked before it is cut: a password may hold what ends a line.
    lines = address.without_secrets(error).splitlines()
    text = shortened(lines[0] if lines else type(error).__name__)
    if "Invalid Host header" in text or "DNS rebinding" in text:
        text += '; start the server with --allowed-hosts "<host>:<port>" for the host you name'
    if "out-of-date database schema" in text:
        text += "; run `python -m pipelines.track_init` once to upgrade the store"
    return f"MLflow at {address}: {text}"
