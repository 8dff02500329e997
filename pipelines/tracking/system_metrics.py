"""What a training asks of its machine, for MLflow's page of system metrics.

Sampled by the driver's thread that talks to MLflow, with MLflow's own monitors: the training itself
neither waits nor computes for it. Of a training over several nodes, the driver's node is sampled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from pipelines.tracking.spool import Spool

# Seconds between two samples.
INTERVAL = 10.0
_FIRST = 1.0

log = logging.getLogger("structnets.tracking")


class SystemMetrics:
    """Writes samples to the spool of a run while it trains.

    Parameters
    ----------
    spool : Spool
        Of the run.
    training : callable
        Says whether the run, once opened, is still training.
    """

    def __init__(self, spool: Spool, training: Callable[[], bool]) -> None:
        self._spool, self._training = spool, training
        self._monitors: list[Any] | None = None
        self._next = 0.0

    def sample(self) -> None:
        """Write a sample, if it is time for one and the run is training."""
        if time.monotonic() < self._next:
            return
        header = self._spool.header()
        if header is None or not self._training():
            return
        self._next = time.monotonic() + INTERVAL
        # Seconds since the run was first opened: they go on rising when it is resumed.
        step = int(time.time() - header["time"] / 1000)
        if values := self._measure():
            self._spool.log_metrics(step, values)

    def _measure(self) -> dict[str, float]:
        try:
            if self._monitors is None:
                self._monitors = _monitors()
                self._next = time.monotonic() + _FIRST
                return {}
            values: dict[str, float] = {}
            for monitor in self._monitors:
                monitor.collect_metrics()
                values |= {f"system/{key}": v for key, v in monitor.aggregate_metrics().items()}
                monitor.clear_metrics()
        except Exception as error:  # a machine that does not tell is no reason to stop
            log.info("tracking: no system metrics: %s", error)
            self._next = float("inf")
            return {}
        return values


def _monitors() -> list[Any]:
    """Return MLflow's monitors of processor, memory and disk, and of GPUs where there are any."""
    import psutil
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

    psutil.cpu_percent()  # the next call counts from here
    monitors: list[Any] = [CPUMonitor(), DiskMonitor()]
    try:
        monitors.append(GPUMonitor())
    except Exception:  # without a GPU, or without nvidia-ml-py
        log.debug("tracking: no GPU is watched")
    return monitors
