"""Trainings: one job per run; in smoke, jobs that several short runs share."""

for _name, _runs in PLAN.batches.items():

    rule:
        name:
            _name
        input:
            lambda wildcards, runs=_runs: training_inputs(runs),
        output:
            [path for run in _runs for path in run_files(run)],
        log:
            f"{LOGS}/train/{_name}.log",
        benchmark:
            f"{BENCHMARKS}/{_name}.tsv"
        conda:
            "../../environment.yml"
        threads: workers_of(_runs[0]) * CONFIG.cpus_per_worker
        resources:
            **over_nodes(_runs[0]),
            workers=workers_of(_runs[0]),
            min_workers=workers_of(_runs[0]),
            mem_mb=size_of(_runs, "mem_mb"),
            runtime=size_of(_runs, "runtime"),
        params:
            specs=lambda wildcards, output, runs=_runs: spec_arguments(runs),
            roots=roots,
            targets=lambda wildcards, output, runs=_runs: used_by(runs),
            cpus=lambda wildcards, output: CONFIG.cpus_per_worker,
            gpus=gpus_per_worker,
        shell:
            TRAIN_HERE if _name in TRAINED_HERE else TRAIN

    workflow.ruleorder(_name, "train_over_nodes")


rule train:
    input:
        lambda wildcards: training_inputs([wildcards.run]),
    output:
        run_files("{run}"),
    log:
        f"{LOGS}/train/{{run}}.log",
    benchmark:
        f"{BENCHMARKS}/{{run}}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda wildcards: workers_of(wildcards.run) * CONFIG.cpus_per_worker
    resources:
        workers=lambda wildcards: workers_of(wildcards.run),
        min_workers=lambda wildcards: workers_of(wildcards.run),
        gpu=lambda wildcards: workers_of(wildcards.run) * CONFIG.gpus_per_worker,
        mem_mb=lambda wildcards: size_of([wildcards.run], "mem_mb"),
        runtime=lambda wildcards: size_of([wildcards.run], "runtime"),
    params:
        specs=lambda wildcards, output: spec_arguments([wildcards.run]),
        roots=roots,
        targets=lambda wildcards, output: used_by([wildcards.run]),
        cpus=lambda wildcards, output: CONFIG.cpus_per_worker,
        gpus=gpus_per_worker,
    shell:
        TRAIN


# The same on several machines: Slurm's plugin looks whether `mpi` is there at all, and takes GPUs
# as `slurm_extra`.
use rule train as train_over_nodes with:
    wildcard_constraints:
        run=over_nodes_pattern(),
    resources:
        workers=lambda wildcards: workers_of(wildcards.run),
        min_workers=lambda wildcards: workers_of(wildcards.run),
        mem_mb=lambda wildcards: size_of([wildcards.run], "mem_mb"),
        runtime=lambda wildcards: size_of([wildcards.run], "runtime"),
        mpi="srun",
        nodes=lambda wildcards: nodes_of(wildcards.run),
        tasks=lambda wildcards: nodes_of(wildcards.run),
        cpus_per_task=lambda wildcards: cpus_per_node(wildcards.run),
        slurm_extra="--ntasks-per-node=1",
        gpus_per_node=0,


ruleorder: train_over_nodes > train
