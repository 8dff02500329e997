"""Cohorts of brain volumes: one job registers each scan, one gathers a prepared cohort.

The scans of a cohort are listed, from names of files and the table of labels, when a job needs
the cohort, and not before (`cohorts.smk`): workflows without brains read nothing.
"""


wildcard_constraints:
    subjects="|".join(map(re.escape, OF_SUBJECTS)),
    scan="[A-Za-z0-9][A-Za-z0-9_.-]*",


rule prepare_mri_subject:
    input:
        scan=scan_file,
    output:
        f"{SUBJECTS}/{{subjects}}/{{scan}}.json",
    log:
        f"{LOGS}/prepare_mri_subject/{{subjects}}/{{scan}}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        # All that concerns a scan stands in the folder's name. A decision about another scan is
        # no reason to register this one again.
        data=lambda wildcards, output: data_json(
            OF_SUBJECTS[wildcards.subjects], of_scans=True
        ),
        out=lambda wildcards, output: os.path.dirname(output[0]),
        data_root=lambda wildcards, output: CONFIG.data_root,
    shell:
        f"{STAGE} pipelines.prepare_mri_subject "
        "--data-json {params.data:q} "
        "--data-root {params.data_root:q} --scan {wildcards.scan:q} --file {input.scan:q} "
        "--out {params.out:q} "
        f"2>&1 | tee {{log:q}} {SHOWN}"


for _prepared, _request in COHORTS.items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        input:
            lambda wildcards, name=_prepared: registered(name),
            tables=lambda wildcards, name=_prepared: tables_of(name),
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
            arrays=[
                f"{CONFIG.prepared}/{_prepared}/{name}"
                for name in FORMS[find_dataset(_request.name).form].files
            ],
        log:
            f"{LOGS}/prepare_mri/{_prepared}.log",
        conda:
            "../../environment.yml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            data=data_json(_request),
            folder=lambda wildcards, output, of=_request: (
                f"--folder {shlex.quote(str(of.folder))}" if of.folder else ""
            ),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output: CONFIG.data_root,
            subjects=lambda wildcards, output, of=_request.subjects_name(): (
                f"{SUBJECTS}/{of}"
            ),
        shell:
            f"{STAGE} pipelines.prepare_mri "
            "--data-json {params.data:q} "
            "--data-root {params.data_root:q} {params.folder} --subjects {params.subjects:q} "
            "--out {params.out:q} "
            f"2>&1 | tee {{log:q}} {SHOWN}"
