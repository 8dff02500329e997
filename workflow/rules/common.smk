"""The plan of this call and the functions that rules share."""

import atexit
import json
import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path

from snakemake.cli import get_argument_parser
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.27")

# This file and all jobs run the code of this checkout, wherever they are called from; modules of
# one's own may lie where Snakemake is called. Jobs run the interpreter that runs Snakemake, also
# when its environment is not activated.
PLACES = [f"{CHECKOUT}/src", CHECKOUT]
USERS = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), os.getcwd()]
sys.path[:0] = PLACES
sys.path.append(os.getcwd())
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]),
    PYTHONPATH=os.pathsep.join(dict.fromkeys([*PLACES, *filter(None, USERS)])),
    PYTHONSAFEPATH="1",  # `python -m` would look where it is called before anywhere else
)

from pipelines import fork_server
from pipelines.cluster.processes import CALL
from pipelines.terminal import show_job_lines
from pipelines.tracking.health import trouble
from pipelines.tracking.store import quiet, resolve_uri
from structnets import identity
from structnets.cohorts.changes import changed_since
from structnets.cohorts.content import Contents
from structnets.entries import foreign_paths
from structnets.data.sets.entries.catalogue import DATASETS, find_dataset
from structnets.files import read_json
from structnets.specs.configuration import load_configuration
from structnets.reporting.asked import check_asked, check_named_rules
from structnets.reporting.ledger import ledger_path
from structnets.reporting.made_for import made_record, mark_other
from structnets.reporting.plan import make_plan
from structnets.reporting.study_estimate import estimate_study
from structnets.reporting.study_plan import (
    PINNED,
    forget_broken_jobs,
    lists_folder,
    with_study,
)
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.studies import plan_any_study

LISTED = "STRUCTNETS_CONTENTS"

try:
    CONFIG = load_configuration(config, CHECKOUT)
    # Jobs are given what was listed when they were planned, whatever has changed since.
    CONTENTS = Contents(
        Path(CONFIG.data_root),
        Path(CONFIG.scratch, "lists"),
        ({} if workflow.is_main_process else json.loads(os.environ.get(LISTED, "{}"))),
    )
    if workflow.is_main_process:
        os.environ.pop(PINNED, None)
    STUDY = plan_any_study(CONFIG)
    PLAN = with_study(make_plan(CONFIG, CONTENTS), STUDY, CONFIG)
    os.environ[LISTED] = json.dumps(CONTENTS.known)
except (ValueError, OSError) as error:
    raise WorkflowError(str(error))

# The output of a job is in its log; where the terminal shows one line a job, it is there alone.
_OUTPUT = workflow.output_settings
SHORT = CONFIG.job_lines and not (
    _OUTPUT.dryrun or _OUTPUT.verbose or _OUTPUT.printshellcmds
)
SHOWN = "> /dev/null" if SHORT else ""
if SHORT and workflow.is_main_process:
    show_job_lines(logger)
TRACKING = f"{CONFIG.results}/tracking.json"
WARM_CLUSTERS = []
# Inherited by jobs, which load this file once more.
os.environ.setdefault(CALL, f"-{platform.node()}-{os.getpid()}")
LOGS = f"{CONFIG.results}/logs"
RUN_FILES = ("result.json", "model.pt", "curves.csv", "spec.json")
# How jobs start a stage program.
STAGE = "python -m pipelines.forked" if CONFIG.fork_jobs else "python -m"
# Of a process that waits for another nothing but the time is true.
BENCHMARKS = f"{LOGS}/benchmarks{'_of_waiting_processes' if CONFIG.fork_jobs else ''}"
FORK_SERVERS = []
# Imports take as long as the starts of so many jobs.
WORTH_FORKING = 4
TRAIN = (
    f"{STAGE} pipelines.train "
    "{params.specs} {params.roots} --workers {resources.workers} "
    "--min-workers {resources.min_workers} --cpus-per-worker {params.cpus} "
    "--gpus-per-worker {params.gpus} {params.targets} "
    f"2>&1 | tee {{log:q}} {SHOWN}"
)
TRAIN_HERE = TRAIN.replace("pipelines.train ", "pipelines.train --in-process ")


wildcard_constraints:
    run="[a-z0-9_]+-[A-Za-z0-9_-]+-s[0-9]+-[0-9a-f]{8}",
    sweep="[a-z0-9_]+-[a-z]+-[0-9a-f]{8}",


def preparations(by_subject):
    """Return what data sets are prepared as: plainly, and with the plan's parameters.

    They are those whose scans are registered one by one, or all others.
    """
    specs = [*PLAN.specs.values(), *(sweep["base"] for sweep in PLAN.sweeps.values())]
    named = [name for name in DATASETS.names() if not find_dataset(name).listed]
    plain = [{"name": name, "prepare": {}} for name in named]
    asked = [{key: spec["data"][key] for key in ("name", "prepare")} for spec in specs]
    return {
        identity.prepared_name(data): data
        for data in [*plain, *asked]
        if find_dataset(data["name"]).by_subject == by_subject
    }


def stage_inputs(specs, published):
    """Return the prepared data some specs read and the marker of the MLflow store.

    They are ancient, since a run is made again only if its spec changes. What is published, as
    a boolean says, does not even need them to be there: a new run that has data prepared anew
    leaves old ones alone.
    """
    names = sorted({identity.prepared_name(spec["data"]) for spec in specs})
    paths = [f"{CONFIG.prepared}/{name}/manifest.json" for name in names] + [TRACKING]
    if published:
        paths = [path for path in paths if os.path.exists(path)]
    return [ancient(path) for path in paths]


def training_inputs(runs):
    """Return what trainings wait for."""
    published = all_there(path for run in runs for path in run_files(run))
    if not published:
        for run in runs:
            refuse_few_inner(spec_of(run))
    return stage_inputs(map(spec_of, runs), published)


def asked_again(name, wanted):
    """Return a file that is young if what was made under a name was made for other things."""
    folder = Path(CONFIG.results, "asked")
    if workflow.is_main_process:
        return str(mark_other(folder, name, wanted))
    return str(folder / name)


def made_for(name, wanted):
    """Return the end of a command that writes down what its files were made for.

    It is no output: a result that is older than these records is no worse for it.
    """
    record = made_record(Path(CONFIG.results, "asked"), name)
    return f"echo {wanted} > {shlex.quote(str(record))}"


def all_there(paths):
    """Say whether all files exist."""
    return all(os.path.exists(path) for path in paths)


def roots(wildcards, output):
    """Return the roots as arguments of a stage.

    Parameters that are functions of the output are no part of a job's provenance: folders may
    move without anything being made again.
    """
    return shlex.join(
        [
            *("--prepared", CONFIG.prepared),
            *("--results", CONFIG.results),
            *("--scratch", CONFIG.scratch),
        ]
    )


def warn_of_tracking():
    """Say before anything starts if MLflow's server does not answer; nothing stops for it."""
    if reason := trouble(resolve_uri(None, CONFIG.results)):
        logger.warning(
            f"{reason}. Going on: what runs have to tell waits in {CONFIG.scratch} until the "
            "server answers, or for `python -m pipelines.tracking flush`."
        )


def start_warm_cluster():
    """Start the Ray cluster that the local jobs of this call share, if any will use it."""
    heavy = ("train", "sweep")
    rules = {job.rule.name for job in workflow.dag.needrun_jobs()}
    if any(name.startswith(heavy) for name in rules - set(TRAINED_HERE)):
        WARM_CLUSTERS.append(launch("warm", "--parent", str(os.getpid())))


def stop_warm_cluster():
    """Stop it, if it was started."""
    if WARM_CLUSTERS:
        launch("stop").wait()


def start_fork_server():
    """Start the process that the local jobs of this call are forked from, if they are several."""
    if len(list(workflow.dag.needrun_jobs())) > WORTH_FORKING:
        quiet()  # MLflow reads its settings when it is imported
        os.makedirs(LOGS, exist_ok=True)
        with open(f"{LOGS}/launch.log", "a") as log:
            FORK_SERVERS.append(fork_server.start(log))


def stop_fork_server():
    """Stop it, if it was started."""
    for server in filter(None, FORK_SERVERS):
        server.stdin.close()
        server.wait()


def launch(*arguments):
    """Run the launcher beside the workflow, its output in the log folder."""
    os.makedirs(LOGS, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pipelines.cluster.launch",
        *arguments,
        "--scratch",
        CONFIG.scratch,
    ]
    with open(f"{LOGS}/launch.log", "a") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
