"""The tracker of one training: the driver's end of a spool."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.tracking import lines
from pipelines.tracking.shipping import Shipper
from pipelines.tracking.spool import Spool
from pipelines.tracking.system_metrics import SystemMetrics

# Seconds between two looks at the record; doubled up to the longest while MLflow is away.
_INTERVAL = 2.0
_LONGEST = 60.0

log = logging.getLogger("structnets.tracking")


class Tracker:
    """Tracks one training in MLflow, without ever stopping or slowing it.

    Every method writes lines to the spool and returns; a background thread of the driver sends
    them, those of its workers included. Made by `Tracker.open`.

    Examples
    --------
    >>> tracker = Tracker.open(
    ...     None, results, "chapter3", run_id, params=spec, tags={"attempts": 1}, spool=spool
    ... )
    >>> Spool(spool).log_metrics(10, {"train_loss": 0.7})  # in the worker of rank 0
    >>> tracker.log_artifacts({"result.json": results / "runs" / run_id / "result.json"})
    >>> tracker.finish()
    """

    def __init__(
        self,
        spool: Spool,
        shipper: Shipper,
        opening: dict[str, Any],
        system_metrics: SystemMetrics | None = None,
    ) -> None:
        self.spool = spool
        self.opening = opening
        self._shipper = shipper
        self._turn = threading.Condition()
        self._asked = 0
        self._answered = 0
        self._complete = False
        self._closing = False
        self.system_metrics = system_metrics
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)

    @classmethod
    def open(
        cls,
        uri: str | None,
        results: str | os.PathLike[str],
        experiment: str,
        run_id: str,
        *,
        params: Mapping[str, Any],
        tags: Mapping[str, Any],
        spool: str | os.PathLike[str],
        patience: float = 10.0,
        note: str = "",
        later: bool = False,
        training: Callable[[], bool] | None = None,
    ) -> Tracker:
        """Find the MLflow run of `run_id`, or make it, and set it running.

        Parameters
        ----------
        uri : str or None
            Tracking URI; None takes the environment's, else the embedded store.
        results : path
            Root of the results.
        experiment : str
            ``chapter3`` …
        run_id : str
            Identity of the run: there is one MLflow run per run id, however often it is opened.
        params : mapping
            The science (the resolved spec), flattened and logged when the run is made.
        tags : mapping
            What may change: attempts, world size, hardware, ``target.<name>``.
        spool : path
            ``<scratch>/runs/<run_id>/spool``.
        patience : float
            Seconds to wait for MLflow (its import takes some three). 0 returns at once and goes
            on in the background.
        note : str
            Description of the run, in Markdown.
        later : bool
            Whether a worker appends `opening` when the training begins, so that it is known when
            that was; until then MLflow is told nothing.
        training : callable, optional
            Says whether the run, once opened, is still training: while it is, the load of this
            machine is logged. Without it, it is not.

        Returns
        -------
        Tracker
            Also when MLflow is away; then `mlflow_run_id` is None until it comes back.
        """
        record = Spool(spool)
        identity = lines.Identity(experiment, "run_id", run_id)
        opening = lines.open_line(identity, params, tags, results=results, note=note)
        load = SystemMetrics(record, training) if training else None
        tracker = cls(record, Shipper(record, uri, results), opening, load)
        if not later:
            record.append(opening)
        tracker._thread.start()
        if patience > 0:
            tracker.flush(patience)
        return tracker

    @property
    def mlflow_run_id(self) -> str | None:
        """MLflow's id of the run; None while MLflow has not been reached."""
        return self.spool.state()[0]

    @property
    def pending(self) -> bool:
        """Whether something still waits in the spool, so that it must not be deleted."""
        return self.spool.pending()

    def log_metrics(self, step: int, values: Mapping[str, Any]) -> None:
        """Log metrics at a step (from this process; workers use their own `Spool`)."""
        self.spool.log_metrics(step, values)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags, replacing the values of those that exist."""
        self.spool.append(lines.tags_line(tags))

    def log_artifacts(
        self,
        files: Mapping[str, str | os.PathLike[str]],
        results: str | os.PathLike[str] | None = None,
    ) -> None:
        """Log files: up to 16 MB as bytes, larger ones as path, size and checksum.

        Parameters
        ----------
        files : mapping
            Name → file, which must exist and stay until it is sent.
        results : path, optional
            Root of the recorded paths; by default the tracker's.
        """
        self.spool.append(lines.files_line(files, results or self._shipper.results))

    def flush(self, timeout: float = 30.0) -> bool:
        """Send everything now.

        Returns
        -------
        bool
            Whether MLflow has it all; after `timeout` seconds at the latest.
        """
        until = time.monotonic() + timeout
        with self._turn:
            self._asked += 1
            mine = self._asked
            self._turn.notify_all()
            while self._answered < mine:
                if not self._turn.wait(max(0.0, until - time.monotonic())):
                    return False
            return self._complete

    def log_inputs(self, datasets: Sequence[Mapping[str, Any]]) -> None:
        """Say which data the run read (`pipelines.tracking.datasets.inputs_of`)."""
        self.spool.append(lines.inputs_line(datasets))

    def log_model(
        self, folder: str | os.PathLike[str], prepared: str | os.PathLike[str], step: int
    ) -> None:
        """Log the net of a published run, as it was at a step of its training."""
        self.spool.append(lines.model_line(folder, prepared, step))

    def finish(
        self, status: str = "FINISHED", timeout: float = 30.0, at: int | None = None
    ) -> bool:
        """End the run (``FINISHED``, ``FAILED`` or ``KILLED``) and send what is left.

        Parameters
        ----------
        status : str
            How it ended.
        timeout : float
            Seconds after which what is left waits.
        at : int, optional
            When it ended, in milliseconds since the epoch; now by default.

        Returns
        -------
        bool
            Whether MLflow has it all; if not, it waits in the spool, which the log says.
        """
        if self.spool.header() is None:
            self.spool.append(self.opening)  # it ended before a worker began
        self.spool.append(lines.finish_line(status, at))
        self.spool.close()
        complete = self.flush(timeout)
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._thread.join(1.0)
        if not complete:
            log.warning(
                "tracking: what MLflow was not told waits in %s; send it with "
                "`python -m pipelines.tracking flush`",
                self.spool.directory,
            )
        return complete

    def _work(self) -> None:
        self._shipper.prepare()
        pause = _INTERVAL
        while not self._closing:
            with self._turn:
                turn = self._asked
            if self.system_metrics is not None:
                self.system_metrics.sample()
            complete = self._shipper.ship()
            pause = min(_LONGEST, 2 * pause) if self._shipper.away else _INTERVAL
            with self._turn:
                self._answered, self._complete = turn, complete
                self._turn.notify_all()
                self._turn.wait_for(self._is_wanted, pause)

    def _is_wanted(self) -> bool:
        return self._closing or self._asked > self._answered
