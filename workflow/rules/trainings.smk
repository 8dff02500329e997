"""What a training waits for, is told and is given."""


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
    """Return where each run counts, as arguments beside those of the specs."""
    named = (",".join(sorted(PLAN.uses[run])) for run in runs)
    return shlex.join(word for names in named for word in ("--targets", names))


def workers_of(run):
    """Return the number of processes of a training."""
    return CONFIG.workers_of(spec_of(run)["model"]["name"])


def is_trained_here(runs):
    """Say whether runs that share a job, of smoke or a study, are trained in its own process."""
    alone = max(map(workers_of, runs)) == 1 and not CONFIG.gpus_per_worker
    return CONFIG.few_processes and alone


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


def partition_of_trainings():
    """Return the partition of trainings whose rules the Slurm profile does not know by name."""
    partition = os.environ.get("STRUCTNETS_SLURM_GPU_PARTITION")
    return {"slurm_partition": partition} if partition else {}


SHARED_JOBS = {**PLAN.batches, **(STUDY.jobs if STUDY else {})}
TRAINED_HERE = [name for name, runs in SHARED_JOBS.items() if is_trained_here(runs)]
