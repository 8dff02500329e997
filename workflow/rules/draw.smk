"""Targets: a rule for every figure that needs no training."""

for _target, _drawing in PLAN.drawings.items():

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
            arguments=lambda wildcards, output: drawing_arguments(),
            drawing=_drawing.drawing,
            title=_drawing.title,
            caption=lambda wildcards, output, drawing=_drawing: drawing.caption,
            target=lambda wildcards, output, target=_target: target,
        shell:
            f"{STAGE} pipelines.draw_figure "
            "--target {params.target} {params.arguments} "
            f"2>&1 | tee {{log:q}} {SHOWN}"
