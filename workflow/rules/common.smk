"""The plan of this call and the functions that rules share."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from pipelines.tracking.health import trouble
from pipelines.tracking.store import resolve_uri
from structnets import identity
from structnets.files import read_json
from structnets.reporting.configuration import load_configuration
from structnets.reporting.ledger import ledger_path
from structnets.reporting.plan import make_plan
from structnets.viz.drawn_figures import FIGURES as DRAWN_FIGURES
from structnets.viz.drawn_figures import endings

# Jobs run the interpreter that runs Snakemake, also when its environment is not activated.
os.environ.update(
    PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()])
)

try:
    CONFIG = load_configuration(config)
    PLAN = make_plan(CONFIG)
except (ValueError, OSError) as error:
    raise WorkflowError(str(error))

TRACKING = f"{CONFIG.results}/tracking.json"
WARM_CLUSTERS = []
LOGS = f"{CONFIG.results}/logs"
RUN_FILES = ("result.json", "model.pt", "curves.csv", "spec.json")
TRAIN = (
    "python -m pipelines.train {params.specs} {params.roots} --workers {resources.workers} "
    "--min-workers {resources.min_workers} --cpus-per-worker {params.cpus} "
    "--gpus-per-worker {params.gpus} {params.targets} 2>&1 | tee {log:q}"
)
ARRAY_FILES = (
    "train_images.npy",
    "train_labels.npy",
    "test_images.npy",
    "test_labels.npy",
)


wildcard_constraints:
    run="[a-z0-9_]+-[A-Za-z0-9_-]+-s[0-9]+-[0-9a-f]{8}",
    sweep="[a-z0-9_]+-[a-z]+-[0-9a-f]{8}",


def preparations(*names):
    """Return what some data sets are prepared as: plainly, and with the plan's parameters."""
    specs = [*PLAN.specs.values(), *(sweep["base"] for sweep in PLAN.sweeps.values())]
    plain = [{"name": name, "prepare": {}} for name in names]
    asked = [
        {key: spec["data"][key] for key in ("name", "prepare")}
        for spec in specs
        if spec["data"]["name"] in names
    ]
    return {identity.prepared_name(data): data for data in [*plain, *asked]}


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
    return stage_inputs(
        map(spec_of, runs), all_there(path for run in runs for path in run_files(run))
    )


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


def run_files(run):
    """Return everything a training publishes."""
    return [f"{CONFIG.results}/runs/{run}/{name}" for name in RUN_FILES]


def spec_of(run):
    """Return the spec of a requested run."""
    if run not in PLAN.specs:
        raise WorkflowError(
            f"run {run} is not among those asked for; ask with --config rows=… columns=… seeds=…"
        )
    return PLAN.specs[run]


def spec_arguments(runs):
    """Return specs as arguments; their digests stand in the names of what comes of them."""
    texts = (identity.canonical_json(spec_of(run)) for run in runs)
    return shlex.join(word for text in texts for word in ("--spec", text))


def used_by(runs):
    """Return the targets each run counts for, as arguments beside those of the specs."""
    named = (",".join(sorted(PLAN.uses[run])) for run in runs)
    return shlex.join(word for names in named for word in ("--targets", names))


def workers_of(run):
    """Return the number of processes of a training."""
    return CONFIG.workers_of(spec_of(run)["model"]["name"])


def nodes_of(run):
    """Return the number of machines of a training."""
    return PLAN.resources[run].nodes


def size_of(runs, what):
    """Return memory or time that suits the largest of some runs."""
    return max(getattr(CONFIG.sizes[PLAN.resources[run].size], what) for run in runs)


def gpus_per_worker(wildcards, resources):
    """Return the share of a job's GPUs that each process of a training gets."""
    of_nodes = resources.get("gpus_per_node", 0) * resources.get("nodes", 1)
    return (resources.get("gpu", 0) or of_nodes) / resources.workers


def cpus_per_node(run):
    """Return the processors a training needs on each of its machines."""
    return -(-workers_of(run) // nodes_of(run)) * CONFIG.cpus_per_worker


def over_nodes_pattern():
    """Return the pattern of the runs that several machines share, or one of no run."""
    names = [run for run, given in PLAN.resources.items() if given.nodes > 1]
    return "|".join(names) or "none"


def over_nodes(run):
    """Return what makes Slurm's plugin give a training several machines; nothing for one.

    The plugin takes an `mpi` job's command for one that starts its own tasks.
    """
    nodes = nodes_of(run)
    if nodes == 1:
        return {"gpu": workers_of(run) * CONFIG.gpus_per_worker}
    return {
        "mpi": "srun",
        "nodes": nodes,
        "tasks": nodes,
        "cpus_per_task": cpus_per_node(run),
        "slurm_extra": "--ntasks-per-node=1",
    }


def needed_results(target):
    """Return the results a target waits for; runs in the ledger are not among them."""
    return [f"{CONFIG.results}/runs/{run}/result.json" for run in PLAN.needed[target]]


def ledger_files(table):
    """Return the ledger of a table's chapter, where there is one."""
    path = ledger_path(Path(CONFIG.ledger_root), table.chapter)
    return [str(path)] if path.is_file() else []


def target_outputs(table):
    """Return what a target renders, by name; the page and the picture go into the report."""
    target = table.target
    labels = {"target": target, "title": table.title, "preset": CONFIG.preset}
    flags = {"caption": "../report/target.rst", "category": f"Chapter {table.chapter}"}
    folder = f"{CONFIG.results}/tables"
    outputs = {end: f"{folder}/{target}.{end}" for end in ("csv", "md", "html", "json")}
    outputs["html"] = report(
        outputs["html"], labels={**labels, "shows": "table"}, **flags
    )
    if table.kind == "figure":
        folder = f"{CONFIG.results}/figures"
        svg = f"{folder}/{target}.svg"
        outputs["svg"] = report(svg, labels={**labels, "shows": "figure"}, **flags)
        outputs["png"] = f"{folder}/{target}.png"
        outputs["points"] = f"{folder}/{target}.csv"
    return outputs


def drawn_outputs(target):
    """Return the files of a drawn figure, by ending; the picture goes into the report."""
    stem = f"{CONFIG.results}/figures/{target}"
    outputs = {ending: f"{stem}.{ending}" for ending in endings(target)}
    outputs["svg"] = report(
        outputs["svg"],
        caption="../report/drawn.rst",
        category=f"Chapter {DRAWN_FIGURES[target].chapter}",
        labels={
            "target": target,
            "title": DRAWN_FIGURES[target].title,
            "shows": "figure",
        },
    )
    return outputs


def output_roots(wildcards, output):
    """Return the roots of a stage that reads no prepared data."""
    return shlex.join(["--results", CONFIG.results, "--scratch", CONFIG.scratch])


def table_digest(target):
    """Digest a table's content, so that it is rendered again when it, not a comment, changes."""
    return identity.digest(PLAN.tables[target].model_dump(mode="json"))


def render_arguments(target):
    """Return the files and folders a rendering reads and writes."""
    return shlex.join(
        [
            *("--table", f"{CONFIG.tables}/{target}.yaml"),
            *("--experiments", CONFIG.experiments),
            *("--ledger", CONFIG.ledger_root),
            *("--results", CONFIG.results),
            *("--scratch", CONFIG.scratch),
        ]
    )


def analysis_inputs(target):
    """Return what an analysis waits for: results and weights of its runs, and their data.

    Weights are no part of the ledger, so that a run made elsewhere is trained here.
    """
    runs = [model["run_id"] for model in PLAN.analyses[target]["models"]]
    files = [
        f"{CONFIG.results}/runs/{run}/{name}"
        for run in runs
        for name in ("result.json", "model.pt")
    ]
    return files + stage_inputs(map(spec_of, runs), is_made(target))


def is_made(target):
    """Say whether the values of an analysis are there, and those of what the plan asks for."""
    path = f"{CONFIG.results}/analyses/{target}.json"
    wanted = PLAN.analyses[target]["analysis_id"]
    return os.path.exists(path) and read_json(path)["analysis_id"] == wanted


def analysis_argument(target):
    """Return an analysis as its stage takes it; a new caption alone makes nothing again."""
    shown = {k: v for k, v in PLAN.analyses[target].items() if k != "caption"}
    return identity.canonical_json(shown)


def analysis_outputs(target):
    """Return the files of an analysis, by ending; the picture goes into the report."""
    analysis = PLAN.analyses[target]
    stem = f"{CONFIG.results}/figures/{target}"
    outputs = {ending: f"{stem}.{ending}" for ending in ("svg", "png", "csv")}
    outputs["svg"] = report(
        outputs["svg"],
        caption="../report/analysis.rst",
        category=f"Chapter {analysis['chapter']}",
        labels={
            "target": target,
            "title": analysis["title"],
            "preset": CONFIG.preset,
            "shows": "figure",
        },
    )
    outputs["json"] = f"{CONFIG.results}/analyses/{target}.json"
    return outputs


def sweep_of(sweep_id):
    """Return the resolved sweep of an id."""
    for sweep in PLAN.sweeps.values():
        if sweep["sweep_id"] == sweep_id:
            return sweep
    raise WorkflowError(f"sweep {sweep_id} does not belong to preset {CONFIG.preset}")


def sweep_files(sweep_id):
    """Return what a sweep publishes."""
    names = ("trials.csv", "best.json", "figure.svg", "figure.png", "figure.csv")
    return [f"{CONFIG.results}/sweeps/{sweep_id}/{name}" for name in names]


def demo_files(wildcards):
    """Return the files of all targets, in smoke only."""
    if CONFIG.preset != "smoke":
        raise WorkflowError(
            f"demo runs the smoke preset, but preset={CONFIG.preset}; leave it out"
        )
    return TARGET_FILES


TARGET_FILES = [
    *(
        str(path)
        for table in PLAN.tables.values()
        for path in target_outputs(table).values()
    ),
    *(
        path
        for sweep in PLAN.sweeps.values()
        for path in sweep_files(sweep["sweep_id"])
    ),
    *(
        str(path)
        for target in PLAN.analyses
        for path in analysis_outputs(target).values()
    ),
    *(str(path) for name in DRAWN_FIGURES for path in drawn_outputs(name).values()),
]


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
    if any(job.rule.name.startswith(heavy) for job in workflow.dag.needrun_jobs()):
        WARM_CLUSTERS.append(launch("warm", "--parent", str(os.getpid())))


def stop_warm_cluster():
    """Stop it, if it was started."""
    if WARM_CLUSTERS:
        launch("stop").wait()


def launch(*arguments):
    """Run the launcher beside the workflow, its output in the log folder."""
    os.makedirs(LOGS, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pipelines.launch",
        *arguments,
        "--scratch",
        CONFIG.scratch,
    ]
    with open(f"{LOGS}/launch.log", "a") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
