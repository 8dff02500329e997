"""Prepared data: one folder with a manifest for each data set, and for what specs ask of one.

What a preparation reads, and what its job is given, stand in the data set's entry
(`structnets.data.sets.entries`). Cohorts are gathered scan by scan: `prepare_mri.smk`.
"""

from structnets.forms.entries import FORMS

PREPARATIONS = preparations(by_subject=False)

for _prepared, _data in PREPARATIONS.items():
    _entry = find_dataset(_data["name"])

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
            arrays=[
                f"{CONFIG.prepared}/{_prepared}/{name}"
                for name in FORMS[_entry.form].files
            ],
        log:
            f"{LOGS}/prepare/{_prepared}.log",
        localrule: _entry.threads == 1
        conda:
            "../../environment.yml"
        threads: _entry.threads
        resources:
            mem_mb=_entry.memory_mb,
            runtime=_entry.minutes,
            download=int(_entry.download),
        params:
            data=identity.canonical_json(_data),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output, entry=_entry: originals_of(entry),
            download=lambda wildcards, output: "--download" if CONFIG.download else "",
        shell:
            f"{STAGE} pipelines.prepare "
            "--data-root {params.data_root:q} "
            "--data-json {params.data:q} --out {params.out:q} --workers {threads} "
            "{params.download} "
            f"2>&1 | tee {{log:q}} {SHOWN}"


def originals_of(entry):
    """Return the folder of originals, or of the lists of one's own files."""
    return lists_folder(CONFIG.scratch) if entry.listed else CONFIG.data_root


def missing_originals():
    """Say in a line each what preparations of this plan would not find, with its bytes."""
    data_root, found = Path(CONFIG.data_root), {}
    rules = {f"prepare_{name}".replace("-", "_"): name for name in PREPARATIONS}
    # Of a plan all jobs count as finished at its end.
    for job in workflow.dag.needrun_jobs(exclude_finished=False):
        if job.rule.name in rules:
            data = PREPARATIONS[rules[job.rule.name]]
            entry = find_dataset(data["name"])
            if not (CONFIG.download and entry.download):
                for original in entry.missing(data["prepare"], data_root):
                    line = (
                        f"{data['name']} lacks {data_root / original.places[0]}: "
                        f"{original.how_to_get(data_root)}"
                    )
                    found[line] = original.bytes
    return found


def refuse_missing_originals():
    """Stop before anything runs if a preparation would not find what it reads."""
    if problems := missing_originals():
        raise WorkflowError("\n".join(problems))


def tell_missing_originals():
    """Say behind a plan what it would stop at, and how much there is to get."""
    if problems := missing_originals() if workflow.dag else {}:
        total = f"{sum(problems.values()) / 1e6:,.0f} MB"
        unknown = sum(not size for size in problems.values())
        more = f", besides {unknown} of unknown size" if unknown else ""
        print(
            f"Missing originals, {total} in all{more}:",
            *problems,
            sep="\n",
            file=sys.stderr,
        )
