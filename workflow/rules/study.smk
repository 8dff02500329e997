"""A study of one's own: snakemake --profile profiles/local study --config study=FILE.

Its trainings share jobs. A job's output is a mark and not the files of its runs, which Snakemake
would remove before it starts: what is trained stays, whatever is asked for beside it.
"""

for _study in STUDIES:
    for _name, _runs in _study.jobs.items():

        rule:
            name:
                _name
            input:
                lambda wildcards, runs=_runs: training_inputs(runs),
            output:
                _study.marker(_name, CONFIG.results),
            log:
                f"{LOGS}/train/{_name}.log",
            benchmark:
                f"{BENCHMARKS}/{_name}.tsv"
            conda:
                "../../environment.yml"
            threads: max(map(workers_of, _runs)) * CONFIG.cpus_per_worker
            resources:
                **partition_of_trainings(),
                workers=max(map(workers_of, _runs)),
                min_workers=max(map(workers_of, _runs)),
                gpu=max(map(workers_of, _runs)) * CONFIG.gpus_per_worker,
                mem_mb=size_of(_runs, "mem_mb"),
                runtime=size_of(_runs, "runtime"),
            params:
                specs=lambda wildcards, output, runs=_runs: spec_arguments(runs),
                roots=roots,
                targets=lambda wildcards, output, runs=_runs: used_by(runs),
                cpus=lambda wildcards, output: CONFIG.cpus_per_worker,
                gpus=gpus_per_worker,
            shell:
                (TRAIN_HERE if _name in TRAINED_HERE else TRAIN)
                + " && touch {output:q}"

    rule:
        name:
            f"report_{_study.name}"
        input:
            [_study.marker(job, CONFIG.results) for job in _study.jobs],
            list=ancient(str(_study.list_file)),
            asked=asked_again(f"report_{_study.name}", asked_of_study(_study)),
        output:
            html=report(
                _study.report(CONFIG.results),
                caption="../report/study.rst",
                category="Own",
                labels={"study": _study.name, "shows": "report"},
            ),
            json=f"{CONFIG.results}/studies/{_study.name}/results.json",
            csv=f"{CONFIG.results}/studies/{_study.name}/results.csv",
        log:
            f"{LOGS}/report_study/{_study.name}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=3000,
            runtime=30,
        params:
            runs=sorted({run.run_id for run in _study.runs}),
            study=identity.digest(
                _study.study.model_dump(mode="json", exclude_defaults=True)
            ),
            question=_study.study.question,
            file=lambda wildcards, output, study=_study: study.file,
            roots=roots,
            made=lambda wildcards, output, study=_study: made_for(
                f"report_{study.name}", asked_of_study(study)
            ),
        shell:
            f"{STAGE} pipelines.report_study "
            "--study {params.file:q} --list {input.list:q} "
            "{params.roots} "
            f"2>&1 | tee {{log:q}} {SHOWN} && {{params.made}}"


rule study:
    input:
        study_files,
