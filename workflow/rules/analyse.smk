"""Targets: a rule for every figure that needs trained weights."""

for _target in PLAN.analyses:

    rule:
        name:
            _target
        input:
            lambda wildcards, target=_target: analysis_inputs(target),
            asked_again(_target, asked_of_analysis(_target)),
        output:
            **analysis_outputs(_target),
        log:
            f"{LOGS}/analyse/{_target}.log",
        benchmark:
            f"{BENCHMARKS}/{_target}.tsv"
        conda:
            "../../environment.yml"
        threads: CONFIG.analysis_cpus
        resources:
            gpu=CONFIG.gpus_per_worker,
            mem_mb=8000,
            runtime=240,
        params:
            analysis=analysis_argument(_target),
            preset=CONFIG.preset,
            title=lambda wildcards, output, target=_target: PLAN.analyses[target][
                "title"
            ],
            caption=lambda wildcards, output, target=_target: PLAN.analyses[target][
                "caption"
            ],
            roots=roots,
            data_root=lambda wildcards, output: CONFIG.data_root,
            trust=lambda wildcards, output, target=_target: trusted(target),
            made=lambda wildcards, output, target=_target: made_for(
                target, asked_of_analysis(target)
            ),
        shell:
            f"{STAGE} pipelines.analyse "
            "--analysis {params.analysis:q} {params.roots} "
            "--data-root {params.data_root:q} --threads {threads} {params.trust} "
            f"2>&1 | tee {{log:q}} {SHOWN} && {{params.made}}"
