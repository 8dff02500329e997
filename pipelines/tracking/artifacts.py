"""Artifacts of a run: small files as bytes, large ones as an entry, all in ``artifacts.json``.

``artifacts.json`` of an MLflow run is ``{name: {sha256, size, path, stored}}``: `path` relative to
the results root, `stored` either ``bytes`` (the file lies in the run's folder ``files``) or
``manifest`` (only its checksum is kept, since uploads of gigabytes time out).
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.files import sha256_file, write_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLDER = "files"
RECORD = "artifacts.json"
SMALL = 16 << 20

Record = dict[str, dict[str, Any]]

log = logging.getLogger("structnets.tracking")


def upload(
    client: MlflowClient,
    mlflow_run_id: str,
    line: dict[str, Any],
    known: Record | None,
    results: Path,
) -> Record:
    """Log the files of a spool line and the run's ``artifacts.json``.

    Parameters
    ----------
    line : dict
        As `lines.files_line` writes it.
    known : dict or None
        The run's present ``artifacts.json``; None if it must be read from MLflow.
    results : Path
        Root of the results, where files are if the folder was moved since the line was written.

    Returns
    -------
    dict
        The run's new ``artifacts.json``.

    Raises
    ------
    FileNotFoundError
        If a file has gone since. The others are logged before.
    """
    if line["replace"]:
        known = {}
    elif known is None:
        known = recorded(client, mlflow_run_id) or {}
    gone = []
    for name, entry in line["files"].items():
        try:
            known[name] = _log_file(client, mlflow_run_id, name, entry, results)
        except FileNotFoundError:
            gone.append(entry["from"])
    with tempfile.TemporaryDirectory(prefix="structnets-") as folder:
        write_json(Path(folder) / RECORD, known)
        client.log_artifact(mlflow_run_id, str(Path(folder) / RECORD))
    if gone:
        raise FileNotFoundError(f"gone before they could be logged: {', '.join(gone)}")
    return known


def _log_file(
    client: MlflowClient, mlflow_run_id: str, name: str, entry: dict[str, Any], results: Path
) -> dict[str, Any]:
    """Log one file; what is recorded are the bytes that were sent, even if it changed since."""
    path = Path(entry["from"])
    if not path.exists():
        path = results / entry["path"]
    size = path.stat().st_size
    if size > SMALL:
        sha256, stored = sha256_file(path), "manifest"
    else:
        content = path.read_bytes()
        size, sha256, stored = len(content), hashlib.sha256(content).hexdigest(), "bytes"
        with tempfile.TemporaryDirectory(prefix="structnets-") as folder:
            (Path(folder) / name).write_bytes(content)
            client.log_artifact(mlflow_run_id, str(Path(folder) / name), FOLDER)
    if sha256 != entry["sha256"]:
        log.warning("tracking: %s changed between being made and being logged", path)
    return {"sha256": sha256, "size": size, "path": entry["path"], "stored": stored}


def recorded(client: MlflowClient, mlflow_run_id: str) -> Record | None:
    """Return the ``artifacts.json`` of a run, or None if it has none."""
    if RECORD not in {file.path for file in client.list_artifacts(mlflow_run_id)}:
        return None
    with tempfile.TemporaryDirectory(prefix="structnets-") as folder:
        return json.loads(
            Path(client.download_artifacts(mlflow_run_id, RECORD, folder)).read_text()
        )


def stored_checksums(client: MlflowClient, mlflow_run_id: str) -> dict[str, str]:
    """Return name → SHA-256 of the bytes that the artifact store holds, read from it now."""
    checksums = {}
    for file in client.list_artifacts(mlflow_run_id, FOLDER):
        with tempfile.TemporaryDirectory(prefix="structnets-") as folder:
            content = client.download_artifacts(mlflow_run_id, file.path, folder)
            checksums[Path(file.path).name] = sha256_file(content)
    return checksums
