"""What MLflow is told by the environment before it is imported, and how it is kept quiet."""

from __future__ import annotations

import logging
import os

# A request that fails is tried again by us, later: the client itself must not keep trying.
_ENVIRONMENT = {
    # Long, since a busy server may still do what it is no longer waited for, such as making a run.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def quiet() -> None:
    """Set MLflow's environment: short time-outs, no telemetry, nothing on standard output.

    What the user has set stays. Must run before mlflow is imported.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
