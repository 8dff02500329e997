"""Targets: a rule for every table and figure of the thesis."""

for _target, _table in PLAN.tables.items():

    rule:
        name:
            _target
        input:
            needed_results(_target),
            ledger_files(_table),
            ancient(TRACKING),
            asked_again(_target, asked_of_table(_target)),
        output:
            **target_outputs(_table),
        log:
            f"{LOGS}/render_target/{_target}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=20,
        params:
            runs=PLAN.requested[_target],
            table=lambda wildcards, target=_target: table_digest(target),
            preset=CONFIG.preset,
            title=lambda wildcards, output, table=_table: table.title,
            caption=lambda wildcards, output, table=_table: table.caption,
            made=lambda wildcards, output, target=_target: made_for(
                target, asked_of_table(target)
            ),
            arguments=lambda wildcards, output, target=_target: render_arguments(target),
        shell:
            f"{STAGE} pipelines.render_target "
            "{params.arguments} --preset {params.preset} "
            f"2>&1 | tee {{log:q}} {SHOWN} && {{params.made}}"
