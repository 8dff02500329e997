"""Whether MLflow's server answers, asked before a workflow starts (standard library only)."""

from __future__ import annotations

import base64
import os
import urllib.error
import urllib.request

from pipelines.tracking import store

# Unlike /health, this asks the database, and refuses a host name that is not allowed.
_QUESTION = "/api/2.0/mlflow/experiments/search?max_results=1"


def trouble(uri: str, timeout: float = 10.0) -> str | None:
    """Say why trainings could not log to `uri` now, or return None.

    Parameters
    ----------
    uri : str
        Tracking URI; a store that is no server is in order.
    timeout : float
        Seconds to wait for an answer.
    """
    if not store.is_server(uri):
        return None
    request = urllib.request.Request(uri.rstrip("/") + _QUESTION)
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    if user is not None:
        words = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(words.encode()).decode()}")
    try:
        urllib.request.urlopen(request, timeout=timeout).close()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(500).decode(errors="replace").strip()
        hint = "; set MLFLOW_TRACKING_USERNAME and _PASSWORD" if error.code == 401 else ""
        return store.reason(OSError(f"HTTP {error.code}: {text}{hint}"), uri)
    except OSError as error:
        return store.reason(error, uri)
    return None
