"""Cohorts of brain volumes: one job registers each scan, one gathers a prepared cohort.

The scans of a cohort are listed, from names of files and the table of labels, when a job needs
the cohort, and not before: workflows without brains read nothing.
"""

from structnets.cohorts.request import CohortRequest

COHORT_FILES = ("volumes.npy", "labels.npy", "subjects.json", "folds.csv")
COHORTS = {
    name: CohortRequest(data["name"], data["prepare"])
    for name, data in preparations(
        "simulated_cohort", "oasis_ad126", "adni", "cohort"
    ).items()
}
SUBJECTS = f"{CONFIG.prepared}/subjects"
# Grids and numbers of folds share registered scans.
OF_SUBJECTS = {request.subjects_name(): request for request in COHORTS.values()}


wildcard_constraints:
    subjects="|".join(map(re.escape, OF_SUBJECTS)),
    scan="[A-Za-z0-9][A-Za-z0-9_.-]*",


def data_json(request):
    """Return the data object of a request, for a stage."""
    return identity.canonical_json({"name": request.name, "prepare": request.prepare})


def registered(name):
    """Return the registered scans a prepared cohort waits for."""
    request = COHORTS[name]
    if request.name == "simulated_cohort":
        return []
    try:
        scans = request.list_scans(Path(CONFIG.data_root)).scans
    except (ValueError, OSError) as error:
        raise WorkflowError(str(error))
    return [f"{SUBJECTS}/{request.subjects_name()}/{scan.name}.json" for scan in scans]


rule prepare_mri_subject:
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
        # The steps stand in the folder's name; nothing else of the request concerns a scan.
        data=lambda wildcards, output: data_json(OF_SUBJECTS[wildcards.subjects]),
        out=lambda wildcards, output: os.path.dirname(output[0]),
        data_root=lambda wildcards, output: CONFIG.data_root,
    shell:
        "python -m pipelines.prepare_mri_subject --data-json {params.data:q} "
        "--data-root {params.data_root:q} --scan {wildcards.scan:q} --out {params.out:q} "
        "2>&1 | tee {log:q}"


for _prepared, _request in COHORTS.items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        input:
            lambda wildcards, name=_prepared: registered(name),
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
            arrays=[f"{CONFIG.prepared}/{_prepared}/{name}" for name in COHORT_FILES],
        log:
            f"{LOGS}/prepare_mri/{_prepared}.log",
        conda:
            "../../environment.yml"
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            data=data_json(_request),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output: CONFIG.data_root,
            subjects=lambda wildcards, output, of=_request.subjects_name(): (
                f"{SUBJECTS}/{of}"
            ),
        shell:
            "python -m pipelines.prepare_mri --data-json {params.data:q} "
            "--data-root {params.data_root:q} --subjects {params.subjects:q} "
            "--out {params.out:q} 2>&1 | tee {log:q}"
