"""Turn the resources of a job into Ray: join a cluster, or start a private one.

``python -m pipelines.cluster.launch warm --scratch DIR --parent PID`` starts the cluster that the
local jobs of one workflow call share; it ends with that process. ``… stop --scratch DIR`` ends it
now. Calls that share a scratch root are told apart by the environment variable ``STRUCTNETS_CALL``,
so that none ends the cluster under another's trainings.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from pipelines.cluster.allocation import find_allocation, over_nodes
from pipelines.cluster.processes import CALL, began, has_ended, is_alive, this_process
from pipelines.cluster.ray_node import OBJECT_STORE_BYTES, STARTS
from pipelines.cluster.ray_temp import short_temp
from pipelines.stage import stage_parser
from structnets.files import is_mine, read_json, write_atomic, write_json

logger = logging.getLogger("structnets.launch")
CHECKOUT = Path(__file__).parents[2]
# Ray's socket names must stay below 107 bytes, of which it uses some 70 itself.
LONGEST_TEMP = 36
# Seconds for a group of workers to start, on busy nodes too.
GROUP_PATIENCE = 300
_GROUP_PATIENCE = "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"
# Must be set before Ray is imported, in every process. The first makes reports and the end of a
# fit wait 0.1 s for the controller instead of 2 s.
ENVIRONMENT = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",
    _GROUP_PATIENCE: str(GROUP_PATIENCE),
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def granted_cpus() -> int:
    """Return the processors this job may use; Ray itself sees only the machine's."""
    slurm = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE")
    return int(slurm) if slurm else len(os.sched_getaffinity(0))


@contextlib.contextmanager
def connected(scratch: Path, cpus: int, patience: int = GROUP_PATIENCE) -> Iterator[None]:
    """Connect this process to Ray for the length of a block.

    In this order: the cluster of ``RAY_ADDRESS``; one Ray over the nodes of a Slurm allocation of
    several; the warm cluster of this call on this scratch root, if its process lives; a private
    cluster. Those that it starts end with the block.

    Parameters
    ----------
    scratch : Path
        Where a warm cluster leaves its address.
    cpus : int
        Processors of a private cluster.
    patience : int
        Seconds for a group of workers to start.
    """
    environment = {**ENVIRONMENT, _GROUP_PATIENCE: str(patience)}
    os.environ.update(environment)
    if "PYTHONPATH" in os.environ:  # where workers of a cluster that is joined find this checkout
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    if "SLURM_JOB_ID" in os.environ:
        # Workers have what Slurm granted; by default Ray puts them behind all others on a node.
        os.environ.setdefault("RAY_worker_niceness", "0")
    with contextlib.ExitStack() as stack:
        temp = stack.enter_context(short_temp())
        if "RAY_ADDRESS" in os.environ:
            _join(os.environ["RAY_ADDRESS"], {"env_vars": environment})
        elif allocation := find_allocation():
            _use_token(secrets.token_hex(32))
            address = stack.enter_context(over_nodes(allocation, temp))
            _join(address, {"env_vars": environment})
        elif warm := warm_cluster(scratch):
            _use_token(warm["token"])
            _use_loopback()
            _join(warm["address"], None)
        else:
            start_private(cpus, temp, secrets.token_hex(32))
        import ray

        stack.callback(ray.shutdown)
        yield


def _join(address: str, runtime: dict[str, Any] | None) -> None:
    _init(address=address, runtime_env=runtime)


def _init(**options: Any) -> None:
    """Start or join Ray; its processes print errors only, and this one logs as before.

    Ray makes the settings of its own loggers those of the whole driver, and the folder where it
    is started the first in which its workers look for modules.
    """
    import ray

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with contextlib.chdir(CHECKOUT):
            ray.init(
                **options,
                logging_level=logging.WARNING,
                logging_config=ray.LoggingConfig(log_level="ERROR"),
            )
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _use_token(token: str) -> None:
    """Let only holders of `token` speak to the cluster; set before Ray starts."""
    os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token})


def _use_loopback() -> None:
    """Let a cluster of this machine listen on 127.0.0.1; set before Ray is imported.

    Where Ray takes clusters of several nodes for possible, which elsewhere than on Linux must be
    allowed by this variable, it puts the machine's address in place of 127.0.0.1, even of one that
    is given, and its processes listen on all addresses.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def start_private(cpus: int, temp: Path, token: str) -> str:
    """Start a cluster with explicit resources that asks for a token; returns its address.

    Raises
    ------
    ValueError
        If the name of `temp` is too long for Ray's sockets.
    RuntimeError
        If Ray does not start.
    """
    if len(str(temp)) > LONGEST_TEMP:
        raise ValueError(
            f"Ray's folder {temp} has more than {LONGEST_TEMP} letters; set STRUCTNETS_TMP to a "
            "shorter one"
        )
    _use_token(token)
    _use_loopback()
    os.environ["RAY_TMPDIR"] = str(temp)
    import ray

    memory = min(psutil.virtual_memory().available // 2, 64 * 2**30)
    slurm_mb = os.environ.get("SLURM_MEM_PER_NODE")
    for left in reversed(range(STARTS)):
        try:
            _init(
                address="local",
                num_cpus=cpus,
                _memory=int(slurm_mb) * 2**20 if slurm_mb else memory,
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
            )
            break
        except Exception as error:  # of no kind: Ray gives itself 30 s, too few on a busy machine
            if not left:
                raise RuntimeError(f"Ray did not start in {STARTS} attempts: {error}") from error
            logger.warning("Ray did not start (%s); trying again", error)
            ray.shutdown()
    address = ray.get_runtime_context().gcs_address
    # As `ray start` leaves it: this cluster's processes look here when they ask for "the" Ray,
    # instead of for every Ray on the machine.
    write_atomic(temp / "ray" / "ray_current_cluster", address)
    return address


def _marker(scratch: Path) -> Path:
    return scratch / "ray" / f"warm{os.environ.get(CALL, '')}.json"


def _write_marker(scratch: Path, marker: dict[str, Any]) -> None:
    """Write the marker so that only this user reads the token in it."""
    path = _marker(scratch)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = os.umask(0o077)
    try:
        write_json(path, marker)
    finally:
        os.umask(before)


def _read_marker(path: Path) -> dict[str, Any] | None:
    try:
        if not is_mine(path):
            logger.warning("%s is another user's, or a link: passed over", path)
            return None
        marker = read_json(path)
        address, token = marker["address"], marker["token"]
        whole = isinstance(address, str | None) and isinstance(token, str)
        alive = is_alive(marker["pid"], marker["created"], mine=True)
        return marker if whole and alive else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remove_orphans(scratch: Path) -> None:
    """Remove the markers of calls on this machine that were killed."""
    for path in _marker(scratch).parent.glob("warm*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if is_mine(path) and has_ended(read_json(path)):
                path.unlink()


def warm_cluster(scratch: Path, patience: float = 60.0) -> dict[str, Any] | None:
    """Return ``address`` and ``token`` of the living warm cluster of this call.

    One that is still starting is waited for, at most `patience` seconds.
    """
    until = time.monotonic() + patience
    while marker := _read_marker(_marker(scratch)):
        if marker["address"]:
            return marker
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return None


def run_warm(scratch: Path, parent: int, cpus: int) -> None:
    """Hold a cluster until the parent process ends, or until asked to stop."""
    if _read_marker(_marker(scratch)):
        logger.info("a warm cluster is already there")
        return
    _remove_orphans(scratch)
    os.environ.update(ENVIRONMENT)
    born = began(parent)
    token = secrets.token_hex(32)
    marker = {**this_process(), "address": None, "token": token}
    _write_marker(scratch, marker)
    stopping: list[int] = []
    try:
        with short_temp() as temp:
            _write_marker(scratch, {**marker, "address": start_private(cpus, temp, token)})
            import ray  # after the token is set

            for name in (signal.SIGTERM, signal.SIGINT):  # instead of those Ray has set
                signal.signal(name, lambda number, frame: stopping.append(number))
            while not stopping and is_alive(parent, born):
                time.sleep(0.5)
            ray.shutdown()
    finally:
        _marker(scratch).unlink(missing_ok=True)


def stop_warm(scratch: Path, patience: float = 20.0) -> None:
    """End the warm cluster of this call, if there is one."""
    marker = _read_marker(_marker(scratch))
    if marker is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(marker["pid"])
        process.terminate()
        # Not `process.wait`: ended, it stays a zombie until the call that started it asks for it.
        until = time.monotonic() + patience
        while is_alive(marker["pid"], marker["created"]):
            if time.monotonic() > until:
                process.kill()
                _marker(scratch).unlink(missing_ok=True)
                return
            time.sleep(0.05)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = stage_parser(__doc__, "scratch")
    parser.add_argument("action", choices=("warm", "stop"))
    parser.add_argument("--parent", type=int, help="process whose end ends the cluster")
    parser.add_argument("--cpus", type=int, default=granted_cpus(), help="processors")
    options = parser.parse_args(arguments)
    scratch: Path = options.scratch
    if options.action == "stop":
        stop_warm(scratch)
    elif options.parent is None:
        parser.error("warm needs --parent")
    else:
        run_warm(scratch, options.parent, options.cpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
