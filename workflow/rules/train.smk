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
            f"{LOGS}/benchmarks/{_name}.tsv"
        conda:
            "../../environment.yml"
        threads: workers_of(_runs[0]) * CONFIG.cpus_per_worker
        resources:
            workers=workers_of(_runs[0]),
            gpu=workers_of(_runs[0]) * CONFIG.gpus_per_worker,
            mem_mb=4000,
            runtime=60,
        params:
            specs=lambda wildcards, output, runs=_runs: spec_arguments(runs),
            roots=roots,
            targets=lambda wildcards, output, runs=_runs: used_by(runs),
            cpus=lambda wildcards, output: CONFIG.cpus_per_worker,
            gpus=gpus_per_worker,
        shell:
            TRAIN

    workflow.ruleorder(_name, "train")


rule train:
    input:
        lambda wildcards: training_inputs([wildcards.run]),
    output:
        run_files("{run}"),
    log:
        f"{LOGS}/train/{{run}}.log",
    benchmark:
        f"{LOGS}/benchmarks/{{run}}.tsv"
    conda:
        "../../environment.yml"
    threads: lambda wildcards: workers_of(wildcards.run) * CONFIG.cpus_per_worker
    resources:
        workers=lambda wildcards: workers_of(wildcards.run),
        gpu=lambda wildcards: workers_of(wildcards.run) * CONFIG.gpus_per_worker,
        mem_mb=4000,
        runtime=1440,
    params:
        specs=lambda wildcards, output: spec_arguments([wildcards.run]),
        roots=roots,
        targets=lambda wildcards, output: used_by([wildcards.run]),
        cpus=lambda wildcards, output: CONFIG.cpus_per_worker,
        gpus=gpus_per_worker,
    shell:
        TRAIN
