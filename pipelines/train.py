"""Train one spec, or several short ones in one worker group, by Ray Train.

``python -m pipelines.train --spec FILE_OR_JSON [--spec …] --prepared DIR --results DIR
--scratch DIR [--workers N] [--min-workers M] [--cpus-per-worker C] [--gpus-per-worker G]
[--in-process] [--targets a,b/row/column …]``

Every spec ends as ``<results>/runs/<run_id>/`` with result, weights and curve. Checkpoints are
the library's own, in ``<scratch>/runs/<run_id>/``: the same files resume a run under Ray, under
torchrun and in one process, and Ray's retries (`FailureConfig`) go on from them. SIGTERM, and the
time limit of a Slurm job, stop a training after it saved its state; at the limit, Slurm is asked
to queue the job again. A run that another job trains is waited for.
"""

from __future__ import annotations

import contextlib
import csv
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.cluster.launch import GROUP_PATIENCE, connected, granted_cpus
from pipelines.cluster.run_lock import RunLock
from pipelines.cluster.time_limit import StopRequest, job_deadline, queued_again_at_limit, stoppable
from pipelines.cluster.training_worker import Roots, work
from pipelines.stage import run_stage, stage_parser
from pipelines.tracking import Tracker, descriptions
from pipelines.tracking.datasets import inputs_of
from pipelines.tracking.lines import described
from pipelines.tracking.parameters import chosen, final_metrics
from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json
from structnets.forms.asked_data import refuse_other_data
from structnets.identity import chapter_name, digest, prepared_name, run_id
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.spec import validate
from structnets.training.run_files import ARTIFACTS, check_work, is_published
from structnets.training.stated_result import read_result

logger = logging.getLogger("structnets.train")
MAX_FAILURES = 3
# Ray first waits for as many workers as before, since it takes a while to know that a node is lost.
ELASTIC_PATIENCE = 120


@dataclass(frozen=True)
class Group:
    """The processes that share a training: how many, and the least of them to go on with."""

    workers: int = 1
    cpus: int = 1
    gpus: float = 0
    least: int | None = None
    in_process: bool = False

    @property
    def here(self) -> bool:
        """Say whether the training runs in this process: if that was asked for, and it has one."""
        return self.in_process and self.workers == 1 and not self.gpus

    @property
    def number(self) -> int | tuple[int, int]:
        """The number as Ray takes it: a pair if it may change with the nodes there are.

        With 0 it starts no process, and retries nothing.
        """
        if self.here:
            return 0
        fixed = self.least is None or self.least >= self.workers
        return self.workers if fixed else (self.least or 1, self.workers)


def train(
    runs: Sequence[ResolvedSpec],
    roots: Roots,
    group: Group,
    targets: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Train resolved specs in one worker group and track each as one MLflow run.

    `targets` names, by run id, the targets that use a run, as ``target`` or
    ``target/row/column``.

    Raises
    ------
    ValueError, OSError
        If a work folder holds another spec, or data are missing; before anything starts.
    StoppedError, OutOfTimeError
        If it was asked to stop, or this job's time limit is near; the state was saved.
    RuntimeError
        If a training cannot succeed, failed more often than Ray may retry, or gets nothing done
        within the time limit.
    """
    missing = [spec for spec in runs if not is_published(roots.out(spec), spec)]
    if not missing:
        logger.info("all %d runs are already published in %s", len(runs), roots.results)
        return
    for spec in missing:
        folder = roots.prepared / prepared_name(spec["data"])
        refuse_other_data(spec, load_manifest(folder), folder)
        check_work(roots.work(spec), spec)
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(stoppable(roots.scratch / "ray", job_deadline()))
        # In one order, so that two jobs never wait for each other.
        for spec in sorted(missing, key=run_id):
            stack.enter_context(RunLock(roots.lock(spec), stop))
        missing = [spec for spec in missing if not is_published(roots.out(spec), spec)]
        if missing:
            _train(missing, roots, group, targets or {}, stop)


def _train(
    runs: Sequence[ResolvedSpec],
    roots: Roots,
    group: Group,
    targets: Mapping[str, Sequence[str]],
    stop: StopRequest,
) -> None:
    before = _progress(runs, roots)
    for spec in runs:
        roots.error(spec).unlink(missing_ok=True)
    trackers = [_track(s, roots, group.workers, targets.get(run_id(s), ())) for s in runs]
    openings = {run_id(s): t.opening for s, t in zip(runs, trackers, strict=True)}
    try:
        patience = GROUP_PATIENCE if isinstance(group.number, int) else ELASTIC_PATIENCE
        cpus = max(granted_cpus(), group.workers * group.cpus)
        with contextlib.ExitStack() as stack:
            if not group.here:
                stack.enter_context(connected(roots.scratch, cpus, patience))
            stop.listen()
            _fit(runs, roots, group, stop, openings)
    finally:
        for spec, tracker in zip(runs, trackers, strict=True):
            _finish(tracker, spec, roots, targets.get(run_id(spec), ()))
    left = [spec for spec in runs if not is_published(roots.out(spec), spec)]
    failed = [spec for spec in left if roots.error(spec).exists()]
    if failed:
        reasons = (f"{run_id(spec)}: {roots.error(spec).read_text().strip()}" for spec in failed)
        raise RuntimeError("; ".join(reasons))
    if left:
        stop.explain(_progress(runs, roots) != before)


def _progress(runs: Sequence[ResolvedSpec], roots: Roots) -> list[str]:
    """Return what runs have got done: their checkpoints, and which of them are published."""
    saved = (roots.work(spec) / "checkpoints" for spec in runs)
    published = [run_id(spec) for spec in runs if is_published(roots.out(spec), spec)]
    return published + [path.name for folder in saved for path in sorted(folder.glob("step-*"))]


def _fit(
    runs: Sequence[ResolvedSpec],
    roots: Roots,
    group: Group,
    stop: StopRequest,
    openings: Mapping[str, Mapping[str, Any]],
) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    trainer = TorchTrainer(
        work,
        train_loop_config={
            "runs": runs,
            "roots": roots,
            "threads": group.cpus,
            "stop": stop,
            "openings": openings,
            "here": group.here,
        },
        scaling_config=ScalingConfig(
            num_workers=group.number,
            use_gpu=group.gpus > 0,
            resources_per_worker={
                "CPU": group.cpus,
                **({"GPU": group.gpus} if group.gpus else {}),
            },
        ),
        run_config=RunConfig(
            # Ray keeps no state that matters here, so every attempt gets a name of its own.
            name=f"{digest([run_id(spec) for spec in runs])[:8]}-{time.time_ns()}",
            storage_path=str(roots.scratch / "ray" / "train"),
            failure_config=FailureConfig(
                max_failures=MAX_FAILURES, controller_failure_limit=MAX_FAILURES
            ),
        ),
    )
    trainer.fit()


def _track(spec: ResolvedSpec, roots: Roots, workers: int, targets: Sequence[str]) -> Tracker:
    names = sorted({place.partition("/")[0] for place in targets})
    result = roots.out(spec) / "result.json"
    return Tracker.open(
        None,
        roots.results,
        chapter_name(spec.get("chapter")),
        run_id(spec),
        params=chosen(spec),
        tags={"world_size": workers, **{f"target.{name}": "true" for name in names}},
        spool=roots.spool(spec),
        patience=0,  # MLflow is imported and asked while Ray starts
        note=descriptions.of_training(spec, targets),
        later=True,
        training=lambda: not result.exists(),
    )


def _finish(tracker: Tracker, spec: ResolvedSpec, roots: Roots, targets: Sequence[str]) -> None:
    out = roots.out(spec)
    if not is_published(roots.out(spec), spec):
        tracker.finish("FAILED")
        return
    result = read_result(out / "result.json")
    with (out / "curves.csv").open(newline="") as file:
        steps = [int(float(row["step"])) for row in csv.DictReader(file)]
    last = steps[-1] if steps else 0
    tracker.log_metrics(last, final_metrics(result))
    tracker.set_tags(
        {
            "attempts": result["attempts"],
            "hardware": result["hardware"]["class"],
            "code_digest": result["code_digest"],
            "data_digest": result["data_digest"],
            **described(descriptions.of_training(spec, targets, result)),
        }
    )
    try:
        manifest = load_manifest(roots.prepared / prepared_name(spec["data"]))
        tracker.log_inputs(inputs_of(spec, manifest))
    except (OSError, ValueError) as error:  # the run stands without them
        logger.warning("%s: its data are not named in MLflow: %s", run_id(spec), error)
    tracker.log_artifacts({name: out / name for name in ARTIFACTS})
    tracker.log_model(out, roots.prepared, last)
    tracker.finish(at=int((out / "result.json").stat().st_mtime * 1000))


def read_spec(text: str) -> ResolvedSpec:
    """Read a spec given as JSON text or as the name of a JSON file, and check it."""
    if text.lstrip().startswith("{"):
        return validate(json.loads(text))
    return validate(read_json(text))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = stage_parser(__doc__, "prepared", "results", "scratch")
    parser.add_argument("--spec", action="append", required=True, help="JSON text or file")
    parser.add_argument("--workers", type=int, default=1, help="processes of the group")
    parser.add_argument(
        "--min-workers", type=int, help="go on with so few where nodes are lost (all of them)"
    )
    parser.add_argument("--cpus-per-worker", type=int, default=1, help="threads of each")
    parser.add_argument("--gpus-per-worker", type=float, default=0, help="GPUs of each")
    parser.add_argument(
        "--in-process",
        action="store_true",
        help="train in this process if one is asked for without a GPU: starts faster, retries "
        "nothing",
    )
    parser.add_argument(
        "--targets",
        action="append",
        help="targets, or target/row/column, that use a run: none, or once for each --spec",
    )
    options = parser.parse_args(arguments)
    roots = Roots(options.prepared, options.results, options.scratch)
    group = Group(
        options.workers,
        options.cpus_per_worker,
        options.gpus_per_worker,
        options.min_workers,
        options.in_process,
    )

    def action() -> None:
        runs = [read_spec(text) for text in options.spec]
        lists = options.targets or [""] * len(runs)
        if len(lists) != len(runs):
            raise ValueError(f"--targets must be given {len(runs)} times or never: {lists}")
        named = [tuple(filter(None, text.split(","))) for text in lists]
        train(runs, roots, group, {run_id(s): names for s, names in zip(runs, named, strict=True)})

    return run_stage("train", lambda: queued_again_at_limit(action))


if __name__ == "__main__":
    sys.exit(main())
