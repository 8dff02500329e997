"""Search over model options by Ray Tune: one plain process per trial, ASHA, resumable.

``python -m pipelines.sweep --sweep JSON_OR_FILE --prepared DIR --results DIR --scratch DIR``

Trials are ordinary resolved specs measured on a validation split. A killed sweep goes on: Tune
restores its table of trials from ``<scratch>/sweeps/<sweep_id>/<data>/tune``, and each trial its
own checkpoint from ``…/trials/<run_id>``; trials on other data are left where they are. SIGTERM,
and the time limit of a Slurm job, stop it as they stop a training, and so does another job of the
same sweep make it wait.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cluster import trials
from pipelines.cluster.launch import connected, granted_cpus
from pipelines.cluster.run_lock import RunLock
from pipelines.cluster.time_limit import StopRequest, job_deadline, queued_again_at_limit, stoppable
from pipelines.cluster.trials import METRIC
from pipelines.stage import run_stage, stage_parser
from pipelines.tracking import Trial, descriptions, log_sweep
from pipelines.tracking.parameters import chosen, numeric
from pipelines.trial_table import table_of
from structnets.data.prepared.manifest import load_manifest
from structnets.figures.trials.draw import draw_trials
from structnets.files import csv_text, read_json, write_atomic, write_json
from structnets.forms.asked_data import refuse_other_data
from structnets.forms.tasks import open_examples
from structnets.identity import chapter_name, prepared_name
from structnets.reporting.sweep_lines import ASKED, TRIAL_KEYS
from structnets.specs.resolved import ResolvedSweep
from structnets.specs.sweep import trial_specs
from structnets.training import provenance
from structnets.training.code_digest import code_digest

if TYPE_CHECKING:
    from ray.tune import ResultGrid

logger = logging.getLogger("structnets.sweep")
# What is known of a trial's course: for MLflow, not for the table.
_HOW = ("curve", "begun")


def search(
    sweep: ResolvedSweep, prepared: Path, folder: Path, cpus: int, stop: StopRequest
) -> ResultGrid:
    """Run the trials of a resolved sweep, or what is left of them.

    Parameters
    ----------
    sweep : dict
        As `structnets.specs.sweep.resolve_sweep` gives it.
    prepared, folder : Path
        Root of the prepared data, and state of this sweep.
    cpus : int
        Processors, each for one trial at a time.
    stop : StopRequest
        Asked by every trial.
    """
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    specs = trial_specs(sweep)
    trainable = tune.with_resources(
        tune.with_parameters(
            trials.run_trial, specs=specs, folder=folder, prepared=prepared, stop=stop
        ),
        {"cpu": 1},
    )
    stored = folder / "tune" / sweep["sweep_id"]
    if tune.Tuner.can_restore(str(stored)):
        logger.info("going on with the trials in %s", stored)
        return tune.Tuner.restore(
            str(stored), trainable, resume_unfinished=True, resume_errored=True
        ).fit()
    scheduler = ASHAScheduler(
        time_attr="epoch",
        metric=METRIC,
        mode="max",
        max_t=sweep["base"]["recipe"]["epochs"],
        grace_period=sweep["asha"]["grace_epochs"],
        reduction_factor=sweep["asha"]["reduction_factor"],
    )
    tuner = tune.Tuner(
        trainable,
        param_space={"trial": tune.grid_search(list(range(len(specs))))},
        tune_config=tune.TuneConfig(
            scheduler=scheduler,
            max_concurrent_trials=cpus,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: f"t{trial.config['trial']:03d}",
        ),
        run_config=tune.RunConfig(
            name=sweep["sweep_id"], storage_path=str(folder / "tune"), verbose=1
        ),
    )
    return tuner.fit()


def origin_of(
    sweep: ResolvedSweep, data: Path, manifest: dict[str, Any], code: str
) -> dict[str, Any]:
    """Return how many images trials are ranked on, and what data, code and machine they are of.

    `code` is the digest of the code that the first trials were trained by.
    """
    import torch

    return {
        "held_out": len(open_examples(sweep["base"], data, manifest)["validation"]),
        "data_digest": manifest["digest"],
        "code_digest": code,
        "hardware": provenance.hardware(torch.device("cpu"), 1, 1),
        "versions": provenance.versions(),
        "git": provenance.git_state(),
    }


def publish(
    sweep: ResolvedSweep, rows: list[dict[str, Any]], out: Path, origin: dict[str, Any]
) -> dict[str, Path]:
    """Write the table of trials, the figure, what a ledger line needs, and last the best trial.

    Raises
    ------
    RuntimeError
        If no trial has a result; the first error is named.
    """
    finished = [row for row in rows if row["accuracy"] is not None]
    if not finished:
        raise RuntimeError(f"all {len(rows)} trials failed; the first: {rows[0]['error']}")
    best = max(finished, key=lambda row: (row["epochs"], row["accuracy"], -row["trial"]))
    write_atomic(out / "trials.csv", _csv(rows))
    draw_trials(
        sweep["figure"],
        rows,
        out / "figure",
        title=sweep["title"],
        value_label="validation accuracy (%)",
        note=f"preset {sweep['preset']}, {sweep['base']['data']['name']}, {len(rows)} trials",
    )
    asked = {key: sweep[key] for key in ASKED}  # type: ignore[literal-required]
    reached = [{key: row.get(key) for key in TRIAL_KEYS} for row in rows]
    write_json(out / "result.json", {**asked, "trials": reached, **origin})
    kept = {key: value for key, value in best.items() if key not in (*_HOW, "error")}
    spec = trial_specs(sweep)[best["trial"]]
    write_json(out / "best.json", {"sweep_id": sweep["sweep_id"], **kept, "spec": spec})
    names = "trials.csv result.json best.json figure.svg figure.png figure.csv"
    return {name: out / name for name in names.split()}


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = [key for key in rows[0] if key not in _HOW]
    return csv_text(columns, [{key: row[key] for key in columns if key in row} for row in rows])


def _track(
    sweep: ResolvedSweep,
    rows: list[dict[str, Any]],
    files: dict[str, Path],
    results: Path,
    folder: Path,
) -> None:
    base, tried = sweep["base"], numeric(sweep["points"])
    tracked = {row["trial"]: _trial(row, tried[row["trial"]]) for row in rows}
    best = tracked[read_json(files["best.json"])["trial"]]
    found = {"trial": best.name, "params": best.params, "value": best.curve[-1][1][METRIC]}
    log_sweep(
        None,
        results,
        chapter_name(base.get("chapter")),
        sweep["sweep_id"],
        params=chosen(base),
        trials=list(tracked.values()),
        files=files,
        spool=folder / "spool",
        tags={f"target.{sweep['name']}": "true"},
        note=descriptions.of_sweep(sweep, found, METRIC),
        best=best,
        metric=METRIC,
    )


def _trial(row: dict[str, Any], params: dict[str, Any]) -> Trial:
    """Return what became of a trial as it is tracked; its last point has its cost too."""
    cost = {key: row[key] for key in ("parameters", "step_s") if row.get(key) is not None}
    points = [(point.epoch, {METRIC: point.accuracy}, point.at) for point in row["curve"]]
    if points:
        epoch, values, at = points[-1]
        points[-1] = (epoch, {**values, **cost}, at)
    return Trial(
        f"t{row['trial']:03d}",
        params,
        points,
        status="FAILED" if row["error"] else "FINISHED",
        tags={"stopped_early": row["stopped_early"]},
        begun=row["begun"],
    )


def sweep(
    resolved: ResolvedSweep, prepared: Path, results: Path, scratch: Path, most: int | None = None
) -> None:
    """Search, publish and track a resolved sweep.

    At most `most` trials run at a time; with None, one for each processor.

    Raises
    ------
    ValueError, OSError
        If data are missing.
    StoppedError, OutOfTimeError
        If it was asked to stop, or this job's time limit is near; the trials' state was saved.
    RuntimeError
        If all trials failed, or none got anything done within the time limit.
    """
    folder = scratch / "sweeps" / resolved["sweep_id"]
    out = results / "sweeps" / resolved["sweep_id"]
    data = prepared / prepared_name(resolved["base"]["data"])
    manifest = load_manifest(data)
    refuse_other_data(resolved["base"], manifest, data)
    state = folder / manifest["digest"][:12]
    with stoppable(scratch / "ray", job_deadline()) as stop, RunLock(folder / "lock", stop) as lock:
        if lock.waited and (out / "best.json").is_file():
            logger.info("the other job has published %s", out)
            return
        code = _code_of_the_first(state, resolved)
        before = trials.progress(state)
        with connected(scratch, granted_cpus()), trials.interrupted_by(stop):
            import ray

            stop.listen()
            cpus = int(ray.cluster_resources()["CPU"])
            cpus = min(cpus, most or cpus)
            rows = table_of(resolved, search(resolved, prepared, state, cpus, stop))
        if stop():
            stop.explain(trials.progress(state) != before)
        files = publish(resolved, rows, out, origin_of(resolved, data, manifest, code))
        _track(resolved, rows, files, results, state)


def _code_of_the_first(state: Path, resolved: ResolvedSweep) -> str:
    """Return the digest of the code that this sweep was begun with, on these data.

    What is published of trials by several states of the code counts as of the oldest.
    """
    path = state / "code.json"
    if not path.is_file():
        write_json(path, code_digest(resolved["base"]))
    return str(read_json(path))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = stage_parser(__doc__, "prepared", "results", "scratch")
    parser.add_argument("--sweep", required=True, help="resolved sweep, JSON text or file")
    parser.add_argument("--trials", type=int, help="at most so many at a time (one a processor)")
    options = parser.parse_args(arguments)

    def action() -> None:
        text = options.sweep
        resolved = json.loads(text) if text.lstrip().startswith("{") else read_json(text)
        sweep(resolved, options.prepared, options.results, options.scratch, options.trials)

    return run_stage("sweep", lambda: queued_again_at_limit(action))


if __name__ == "__main__":
    sys.exit(main())
