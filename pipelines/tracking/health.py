"""Whether MLflow's server answers, asked before a workflow starts (standard library only)."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from pipelines.tracking import store
from structnets.foreign.address import Address
from structnets.foreign.shown import shortened

# Unlike /health, this asks the database, and refuses a host name that is not allowed.
_QUESTION = "/api/2.0/mlflow/experiments/search?max_results=1"


def trouble(uri: str | Address, timeout: float = 10.0) -> str | None:
    """Say why trainings could not log to `uri` now, or return None.

    Parameters
    ----------
    uri : str or Address
        Tracking URI; a store that is no server is in order.
    timeout : float
        Seconds to wait for an answer.
    """
    address = Address.of(uri)
    if not address.is_server:
        return None
    try:
        request = urllib.request.Request(address.client + _QUESTION)
        if header := address.authorization():
            request.add_header("Authorization", header)
        urllib.request.urlopen(request, timeout=timeout).close()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(500).decode(errors="replace").strip()
        hint = "; set MLFLOW_TRACKING_USERNAME and _PASSWORD" if error.code == 401 else ""
        return store.reason(OSError(f"HTTP {error.code}: {text}{hint}"), address)
    # An address that is none, or no HTTP at the port, is said like a server that is away.
    except OSError as error:
        return store.reason(error, address)
    except (ValueError, http.client.HTTPException) as error:
        remedy = "set MLFLOW_TRACKING_URI to http://<host>:<port>"
        return store.reason(ValueError(f"{shortened(error, 200)}; {remedy}"), address)
    return None
