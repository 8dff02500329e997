"""Searches over model options, one job each, and the targets named after them."""

for _sweep in PLAN.sweeps.values():

    rule:
        name:
            _sweep["name"]
        input:
            sweep_files(_sweep["sweep_id"]),


rule sweep:
    input:
        lambda wildcards: stage_inputs(
            [sweep_of(wildcards.sweep)["base"]],
            all_there(sweep_files(wildcards.sweep)),
        ),
    output:
        trials=report(
            f"{CONFIG.results}/sweeps/{{sweep}}/trials.csv",
            caption="../report/trials.rst",
            category="Sweeps",
            labels={"sweep": "{sweep}", "shows": "trials"},
        ),
        result=f"{CONFIG.results}/sweeps/{{sweep}}/result.json",
        best=f"{CONFIG.results}/sweeps/{{sweep}}/best.json",
        svg=report(
            f"{CONFIG.results}/sweeps/{{sweep}}/figure.svg",
            caption="../report/sweep_figure.rst",
            category="Sweeps",
            labels={"sweep": "{sweep}", "shows": "figure"},
        ),
        png=f"{CONFIG.results}/sweeps/{{sweep}}/figure.png",
        csv=f"{CONFIG.results}/sweeps/{{sweep}}/figure.csv",
    log:
        f"{LOGS}/sweep/{{sweep}}.log",
    benchmark:
        f"{BENCHMARKS}/{{sweep}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1 if CONFIG.is_lean else CONFIG.sweep_cpus
    resources:
        mem_mb=8000,
        runtime=1440,
    params:
        sweep=lambda wildcards, output: identity.canonical_json(
            sweep_of(wildcards.sweep)
        ),
        roots=roots,
    shell:
        f"{STAGE} pipelines.sweep "
        "--sweep {params.sweep:q} {params.roots} "
        f"{'--trials 1' if CONFIG.is_lean else ''} "
        f"2>&1 | tee {{log:q}} {SHOWN}"
