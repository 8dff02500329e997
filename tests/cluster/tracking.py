"""MLflow's server on the head, over PostgreSQL, as docs/cluster.md says to start it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.cluster.packages import search_path
from tests.cluster.slurm import Cluster

PORT = 5000
DATABASE = "postgresql://postgres@127.0.0.1:5432/postgres"
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
HEALTHY = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)"


class TrackingServer:
    """A server and its database, each of which can be stopped and started.

    Parameters
    ----------
    cluster : Cluster
        It runs on its head.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.uri = f"http://{cluster.place.head_address}:{PORT}"
        # Not in the cluster's state, since PostgreSQL will not run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="structnets-postgres-"))
        shutil.chown(self.folder, "postgres", "postgres")
        self._database: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the database and start both."""
        words = ("initdb", "--auth=trust", "--no-sync", "-D", str(self._data))
        done = self.cluster.run(*AS_POSTGRES, *words, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        self.start_database()
        self.start_server()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start_database(self) -> None:
        """Start PostgreSQL."""
        options = (
            *("-c", "listen_addresses=127.0.0.1"),
            *("-c", f"unix_socket_directories={self.folder}"),
        )
        words = (*AS_POSTGRES, "postgres", "-D", str(self._data), *options)
        self._database = self.cluster.place.spawn("postgres", *words)
        self._wait("pg_isready", "-h", "127.0.0.1")

    def stop_database(self) -> None:
        """Stop PostgreSQL as at a restart of its machine."""
        done = self.cluster.run(
            *AS_POSTGRES, "pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-w"
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def start_server(self) -> None:
        """Start MLflow's server."""
        artifacts = self.cluster.state / "mlartifacts"
        words = (
            *("env", f"MLFLOW_BACKEND_STORE_URI={DATABASE}", f"PATH={search_path()}"),
            *("MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false", "MLFLOW_DISABLE_TELEMETRY=true"),
            *(sys.executable, "-m", "mlflow", "server", "--workers", "2"),
            *("--host", self.cluster.place.head_address, "--port", str(PORT)),
            *("--allowed-hosts", f"{self.cluster.place.head}:{PORT},{self.uri[7:]}"),
            *("--artifacts-destination", artifacts.as_uri()),
            # Workers that are silent for 5 s, as those of a busy machine, would be killed.
            *("--uvicorn-opts", "--timeout-worker-healthcheck 60"),
        )
        self._server = self.cluster.place.spawn("mlflow", *words)
        self._wait(sys.executable, "-c", HEALTHY, f"{self.uri}/health")

    def stop_server(self) -> None:
        """Kill the server and its workers."""
        if self._server is not None:
            for process in psutil.Process(self._server.pid).children(recursive=True):
                process.kill()
            self._server.wait()

    def remove(self) -> None:
        """Remove the database's files; its processes end with the cluster."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, *words: str, patience: float = 300) -> None:
        until = time.monotonic() + patience
        while self.cluster.run(*words).returncode:
            if time.monotonic() > until:
                raise TimeoutError(f"{' '.join(words)} does not succeed; {self.cluster.logs()}")
            time.sleep(0.5)
