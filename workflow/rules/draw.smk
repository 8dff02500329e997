"""Targets: a rule for every figure that needs no training."""

for _target, _drawn in DRAWN_FIGURES.items():

    rule:
        name:
            _target
        input:
            ancient(TRACKING),
        output:
            **drawn_outputs(_target),
        log:
            f"{LOGS}/draw_figure/{_target}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=20,
        params:
            roots=output_roots,
            title=lambda wildcards, output, drawn=_drawn: drawn.title,
            caption=lambda wildcards, output, drawn=_drawn: drawn.caption,
            target=lambda wildcards, output, target=_target: target,
        shell:
            "python -m pipelines.draw_figure --target {params.target} {params.roots} "
            "2>&1 | tee {log:q}"
