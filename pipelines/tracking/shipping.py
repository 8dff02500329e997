"""Carries a spool's lines to MLflow, each exactly once.

How a step is logged once, whatever dies when:

- lines are sent in order, and ``state.json`` moves on after MLflow confirmed them;
- whoever sends holds the spool's lock, so two processes never send the same line;
- steps that a resumed training executes again stand in the record twice; the second is skipped;
- if MLflow knows later steps than this record has sent (another machine's scratch, or a kill
  between MLflow's confirmation and ours), its history is read and skipped too.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.tracking import artifacts, datasets, logged_models, store
from pipelines.tracking.experiments import experiment_id
from pipelines.tracking.lines import Identity, text_of
from pipelines.tracking.links import links_of
from pipelines.tracking.spool import Spool
from pipelines.tracking.steps import LoggedSteps

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

# MLflow's limits for one request.
_METRICS = 1000
_PARAMS = 100
_PARENT = "mlflow.parentRunId"

log = logging.getLogger("structnets.tracking")


class _RunGoneError(Exception):
    """The MLflow run was deleted under us; it has to be found or made anew."""


class Shipper:
    """Sends one run's record.

    Parameters
    ----------
    spool : Spool
        The record.
    uri : str or None
        Tracking URI; None takes the environment's, else the embedded store.
    results : path
        Root of the results, and of the embedded store.
    """

    def __init__(self, spool: Spool, uri: str | None, results: str | os.PathLike[str]) -> None:
        self.spool = spool
        self.address = store.resolve_uri(uri, results)
        self.results = Path(results).resolve()
        self._run: str | None = None
        self._sent = 0
        self._logged = LoggedSteps()
        self._known: artifacts.Record | None = None
        self.away = False

    def prepare(self) -> None:
        """Do what takes long, importing mlflow and making the schema, before there are lines."""
        with contextlib.suppress(Exception):  # `ship` says what is wrong
            store.connect(self.address, self.results)

    def ship(self, timeout: float = 60.0) -> bool:
        """Send what is not sent yet.

        Parameters
        ----------
        timeout : float
            Seconds after which no further request is begun.

        Returns
        -------
        bool
            Whether MLflow now knows everything. Never raises: an error is logged once, and the
            lines stay in the record for the next time.
        """
        until = time.monotonic() + timeout
        try:
            if not self.spool.pending():
                return True
            # The slow part (importing mlflow) comes before the lock, so that nobody waits for it.
            client = store.connect(self.address, self.results)
            with self.spool.lock(timeout) as held:
                if not held:
                    return False
                try:
                    self._send(client, until)
                except _RunGoneError:
                    self._send(client, until)
            if self.away:
                log.info("tracking: MLflow answers again")
            self.away = False
            return not self.spool.pending()
        except Exception as error:
            self._run = None
            if not self.away:
                log.warning("tracking: waiting for %s", store.reason(error, self.address))
            self.away = True
            return False

    def _send(self, client: MlflowClient, until: float) -> None:
        """Send line after line until the record's end or the time `until`."""
        if not self._attach(client):
            return
        self.spool.sync()
        batch: list[Metric] = []
        end = self._sent
        for position, line in self.spool.read(self._sent):
            if line.get("do") == "metrics":
                batch += self._unlogged(line)
                end = position
                if len(batch) < _METRICS:
                    continue
            self._log_metrics(client, batch, end)
            batch = []
            if line.get("do") != "metrics":
                self._tell(client, line)
                self._advance(position)
            end = position
            if time.monotonic() > until:
                return
        self._log_metrics(client, batch, end)

    def _attach(self, client: MlflowClient) -> bool:
        """Find or make the MLflow run; False while no line has opened it."""
        if self._run is not None and (self._run, self._sent) == self.spool.state():
            return True
        header = self.spool.header()
        if header is None:
            return False
        mlflow_run_id, sent = self.spool.state()
        run = store.active_run(client, mlflow_run_id) if mlflow_run_id else None
        if run is None:
            run = self._find_or_create(client, header)
        if run.info.run_id != mlflow_run_id:
            sent = 0
            self.spool.save_state(run.info.run_id, sent)
        self._fill_params(client, run, header["params"])
        self._logged = self._already_logged(client, run, sent)
        self._run, self._sent, self._known = run.info.run_id, sent, None
        return True

    def _find_or_create(self, client: MlflowClient, header: dict[str, Any]) -> Run:
        identity = Identity(**header["identity"])
        experiment = experiment_id(client, self.address, self.results, identity.experiment)
        run = store.find_run(client, experiment, identity)
        if run is None:
            run = client.create_run(
                experiment,
                start_time=header["time"],
                tags={identity.tag: identity.value} | _portable(header["tags"]),
                run_name=identity.value,
            )
        return run

    def _fill_params(self, client: MlflowClient, run: Run, params: dict[str, str]) -> None:
        """Log the parameters that the run lacks: all when it is new, none when it is not.

        A process killed between making the run and logging them leaves some to log.
        """
        from mlflow.entities import Param

        missing = [Param(key, value) for key, value in params.items() if key not in run.data.params]
        for start in range(0, len(missing), _PARAMS):
            client.log_batch(run.info.run_id, params=missing[start : start + _PARAMS])

    def _already_logged(self, client: MlflowClient, run: Run, sent: int) -> LoggedSteps:
        logged = LoggedSteps()
        for position, line in self.spool.read():
            if position > sent:
                break
            for name in line.get("values", {}):
                logged.add(name, line["step"])
        for latest in run.data.to_proto().metrics:
            if logged.last(latest.key) != latest.step:
                for metric in client.get_metric_history(run.info.run_id, latest.key):
                    logged.add(metric.key, metric.step)
        return logged

    def _unlogged(self, line: dict[str, Any]) -> list[Metric]:
        from mlflow.entities import Metric

        step, at = line["step"], line["time"]
        return [
            Metric(name, value, at, step)
            for name, value in line["values"].items()
            if self._logged.add(name, step)
        ]

    def _log_metrics(self, client: MlflowClient, batch: list[Metric], end: int) -> None:
        """Send metrics, at most a request's worth at a time, and remember the position."""
        run = str(self._run)
        for start in range(0, len(batch), _METRICS):
            part = batch[start : start + _METRICS]
            try:
                client.log_batch(run, metrics=part)
            except Exception as error:
                self._raise_unless_refused(client, error)
                for metric in part:
                    self._log_one(client, metric)
        self._advance(end)

    def _log_one(self, client: MlflowClient, metric: Metric) -> None:
        try:
            client.log_batch(str(self._run), metrics=[metric])
        except Exception as error:
            self._raise_unless_refused(client, error)
            self.spool.reject({"do": "metrics"} | dict(metric), str(error))

    def _tell(self, client: MlflowClient, line: dict[str, Any]) -> None:
        """Tell MLflow a line that is not a metric; one it refuses is set aside."""
        try:
            self._apply(client, line)
        except Exception as error:
            self._raise_unless_refused(client, error)
            self.spool.reject(line, str(error))

    def _apply(self, client: MlflowClient, line: dict[str, Any]) -> None:
        run = str(self._run)
        match line.get("do"):
            case "open":
                client.update_run(run, status="RUNNING")
                parent = self._parent_tag(client, line["parent"])
                self._set_tags(client, _portable(line["tags"]) | parent)
            case "tags":
                self._set_tags(client, line["tags"])
            case "files":
                self._known = artifacts.upload(client, run, line, self._known, self.results)
            case "links":
                tags, linked = links_of(client, line)
                self._set_tags(client, tags)
                for used in linked:
                    client.set_tag(used, f"target.{line['target']}", "true")
            case "inputs":
                client.log_inputs(run, [datasets.as_mlflow(one) for one in line["datasets"]])
            case "model":
                logged_models.log_model(client, run, line)
            case "view":
                experiment = client.get_run(run).info.experiment_id
                for key, value in line["tags"].items():
                    client.set_experiment_tag(experiment, key, value)
            case "children":
                self._adopt(client, run, line)
            case "finish":
                client.set_terminated(run, line["status"], line["time"])

    def _parent_tag(self, client: MlflowClient, parent: dict[str, Any] | None) -> dict[str, str]:
        if not parent:
            return {}
        identity = Identity(**parent)
        experiment = experiment_id(client, self.address, self.results, identity.experiment)
        found = store.find_run(client, experiment, identity)
        if found is None:
            raise RuntimeError(f"the parent run {identity.value!r} is not in MLflow yet")
        return {_PARENT: found.info.run_id}

    def _adopt(self, client: MlflowClient, run: str, line: dict[str, Any]) -> None:
        """Put runs of the same experiment below this one; those made elsewhere stay away."""
        experiment = client.get_run(run).info.experiment_id
        for value in line["of"]:
            child = store.find_run(client, experiment, Identity("", line["tag"], value))
            if child is not None:
                client.set_tag(child.info.run_id, _PARENT, run)

    def _set_tags(self, client: MlflowClient, tags: dict[str, str]) -> None:
        from mlflow.entities import RunTag

        listed = [RunTag(key, text_of(value)) for key, value in tags.items()]
        for start in range(0, len(listed), _PARAMS):
            client.log_batch(str(self._run), tags=listed[start : start + _PARAMS])

    def _raise_unless_refused(self, client: MlflowClient, error: Exception) -> None:
        """Raise the error again, unless MLflow refused the request for what it says."""
        if not store.is_refusal(error):
            raise error
        if store.active_run(client, str(self._run)) is None:
            self._run = None
            raise _RunGoneError from error

    def _advance(self, position: int) -> None:
        if position != self._sent:
            self.spool.save_state(self._run, position)
            self._sent = position


def _portable(tags: dict[str, str]) -> dict[str, str]:
    """Return tags without the place of the results, which records of earlier versions have."""
    return {key: value for key, value in tags.items() if key != "results"}
