"""Prepared data: one folder of arrays with a manifest for each data set."""


rule prepare_mnist:
    output:
        manifest=f"{CONFIG.prepared}/mnist/manifest.json",
        arrays=[f"{CONFIG.prepared}/mnist/{name}" for name in ARRAY_FILES],
    log:
        f"{LOGS}/prepare_mnist/mnist.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=60,
        download=1,
    params:
        out=lambda wildcards, output: os.path.dirname(output.manifest),
        data_root=lambda wildcards, output: CONFIG.data_root,
        download=lambda wildcards, output: "--download" if CONFIG.download else "",
    shell:
        "python -m pipelines.prepare_mnist --data-root {params.data_root:q} "
        "--out {params.out:q} {params.download} 2>&1 | tee {log:q}"


BUILT_IN = {"digits": ARRAY_FILES, "photo_crops": ARRAY_FILES, "made_boundaries": ()}
STAGES = {
    "bsds500": "prepare_bsds",
    "textured_blobs": "prepare_textured_blobs",
    "photo_shards": "prepare_imagenet",
}

for _name, _files in BUILT_IN.items():

    rule:
        name:
            f"prepare_{_name}"
        output:
            manifest=f"{CONFIG.prepared}/{_name}/manifest.json",
            arrays=[f"{CONFIG.prepared}/{_name}/{array}" for array in _files],
        log:
            f"{LOGS}/prepare_{_name}/{_name}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            name=lambda wildcards, output, name=_name: name,
        shell:
            "python -m pipelines.prepare_builtin --name {params.name} --out {params.out:q} "
            "2>&1 | tee {log:q}"


for _prepared, _data in preparations("cifar10", "cifar10_jpeg", "cifar100").items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
            arrays=[f"{CONFIG.prepared}/{_prepared}/{name}" for name in ARRAY_FILES],
        log:
            f"{LOGS}/prepare_cifar/{_prepared}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=3000,
            runtime=60,
            download=1,
        params:
            name=_data["name"],
            data=identity.canonical_json(_data),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output: CONFIG.data_root,
            download=lambda wildcards, output: "--download" if CONFIG.download else "",
        shell:
            "python -m pipelines.prepare_cifar {params.name} --data-root {params.data_root:q} "
            "--data-json {params.data:q} --out {params.out:q} {params.download} "
            "2>&1 | tee {log:q}"


for _prepared, _data in preparations("imagenet").items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
        log:
            f"{LOGS}/prepare_imagenet/{_prepared}.log",
        conda:
            "../../environment.yml"
        threads: 16
        resources:
            mem_mb=16000,
            runtime=720,
        params:
            data=identity.canonical_json(_data),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output: CONFIG.data_root,
        shell:
            "python -m pipelines.prepare_imagenet --data-root {params.data_root:q} "
            "--data-json {params.data:q} --out {params.out:q} --workers {threads} "
            "2>&1 | tee {log:q}"


for _prepared, _data in preparations(*STAGES).items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
        log:
            f"{LOGS}/{STAGES[_data['name']]}/{_prepared}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            stage=STAGES[_data["name"]],
            data=identity.canonical_json(_data),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
            data_root=lambda wildcards, output: CONFIG.data_root,
        shell:
            "python -m pipelines.{params.stage} --data-root {params.data_root:q} "
            "--data-json {params.data:q} --out {params.out:q} 2>&1 | tee {log:q}"
