"""The MLflow store, made once before anything writes to it, and what the jobs of a call share."""


rule track_init:
    output:
        TRACKING,
    log:
        f"{LOGS}/track_init/track_init.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        results=lambda wildcards, output: CONFIG.results,
    # In a process of its own, beside which the one that other jobs are forked from imports.
    shell:
        "python -m pipelines.track_init "
        "--results {params.results:q} --out {output:q} "
        f"2>&1 | tee {{log:q}} {SHOWN}"


onstart:
    refuse_missing_originals()
    warn_of_tracking()
    if CONFIG.fork_jobs:
        start_fork_server()
    if CONFIG.warm_cluster:
        start_warm_cluster()


onsuccess:
    if CONFIG.warm_cluster:
        stop_warm_cluster()
    stop_fork_server()


onerror:
    if CONFIG.warm_cluster:
        stop_warm_cluster()
    stop_fork_server()
