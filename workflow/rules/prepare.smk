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


for _name in ("digits", "photo_crops"):

    rule:
        name:
            f"prepare_{_name}"
        output:
            manifest=f"{CONFIG.prepared}/{_name}/manifest.json",
            arrays=[f"{CONFIG.prepared}/{_name}/{array}" for array in ARRAY_FILES],
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


for _prepared, _data in preparations("photo_shards").items():

    rule:
        name:
            f"prepare_{_prepared}".replace("-", "_")
        output:
            manifest=f"{CONFIG.prepared}/{_prepared}/manifest.json",
        log:
            f"{LOGS}/prepare_imagenet/{_prepared}.log",
        localrule: True
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            data=identity.canonical_json(_data),
            out=lambda wildcards, output: os.path.dirname(output.manifest),
        shell:
            "python -m pipelines.prepare_imagenet --data-json {params.data:q} "
            "--out {params.out:q} 2>&1 | tee {log:q}"


rule prepare_bsds:
    output:
        manifest=f"{CONFIG.prepared}/bsds500/manifest.json",
        arrays=[
            f"{CONFIG.prepared}/bsds500/{split}_{kind}.npy"
            for split in ("train", "val", "test")
            for kind in ("images", "labels", "annotators")
        ],
    log:
        f"{LOGS}/prepare_bsds/bsds500.log",
    localrule: True
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        out=lambda wildcards, output: os.path.dirname(output.manifest),
        data_root=lambda wildcards, output: CONFIG.data_root,
    shell:
        "python -m pipelines.prepare_bsds --data-root {params.data_root:q} "
        "--out {params.out:q} 2>&1 | tee {log:q}"
