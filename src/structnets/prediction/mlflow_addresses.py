"""The weights of a net that MLflow has, fetched by MLflow's own command into a folder.

This library does not import MLflow: where it is installed, its command is called.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from structnets.foreign.address import Address

_SCHEMES = ("models:/", "runs:/")
_RUN = re.compile(r"runs:/[0-9a-f]{32}/?")
_STORE, _PACKAGE = "MLFLOW_TRACKING_URI", "mlflow"
# In addresses of others, where artifacts lie for example.
_PASSWORD = re.compile(r"(?<=://)[^/\s]*@")


def is_mlflow_address(run: str | Path) -> bool:
    """Say whether something names a net in MLflow: ``runs:/ID``, ``models:/m-ID``.

    Examples
    --------
    >>> is_mlflow_address("models:/m-4529b51885d74d7593cef5943bd88426")
    True
    >>> is_mlflow_address("results/runs/RUN_ID")
    False
    """
    return str(run).startswith(_SCHEMES)


def fetch_weights(address: str, folder: Path, results: Path) -> Path:
    """Fetch the ``model.pt`` of a run or a logged model; return where it lies.

    Parameters
    ----------
    address : str
        ``runs:/ID`` of MLflow's run, or a logged or registered model (``models:/m-ID``,
        ``models:/NAME/VERSION``).
    folder : Path
        It is put below.
    results : Path
        Where ``MLFLOW_TRACKING_URI`` is not set, its ``mlflow.db`` is asked.

    Raises
    ------
    FileNotFoundError
        If there is no store, or it has no weights there.
    ModuleNotFoundError
        If MLflow is not installed.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        raise ModuleNotFoundError(
            f"{address} is MLflow's, which is not installed here: pip install mlflow, or give the "
            "folder of the run"
        )
    store = os.environ.get(_STORE)
    if not store:
        database = results.resolve() / "mlflow.db"
        if not database.is_file():
            raise FileNotFoundError(
                f"{address}: {database} is not there; give --results, or set {_STORE}"
            )
        store = f"sqlite:///{database}"
    wanted = f"{address.rstrip('/')}/files/model.pt" if _RUN.fullmatch(address) else address
    call = (sys.executable, "-m", _PACKAGE, "artifacts", "download")
    done = subprocess.run(
        [*call, "--artifact-uri", wanted, "--dst-path", str(folder)],
        env={**os.environ, _STORE: store},
        capture_output=True,
        text=True,
    )
    found = sorted(folder.rglob("model.pt"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else "it has no model.pt"
        reason = _PASSWORD.sub("", Address(store).without_secrets(reason))
        raise FileNotFoundError(
            f"{address}: {reason}; MLflow has no weights there, which large ones never are: give "
            "the folder of the run"
        )
    return found[0]
