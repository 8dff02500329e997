"""Which jobs the targets ask for, and what changes them."""

import pytest

from structnets.reporting.ledger import append, ledger_line
from tests.made_results import WORKFLOW, floor, make_result, publish

FRAME = {"track_init": 1, "figure6": 1}
TWO = "train_chapter3_workers2_nodes2_0"
BUILT_IN = ("simulated_cohort", "photo_shards", "made_boundaries", "textured_blobs")
MADE = ("train_chapter", *(f"prepare_{name}" for name in BUILT_IN))
SMOKE = {"prepare_digits": 1, "train_chapter3_workers1_0": 1, TWO: 1}


@pytest.mark.parametrize(
    ("profile", "target"), [("profiles/local", "demo"), ("profiles/test", "all"), ("slurm", "all")]
)
def test_fresh_clone_resolves_in_every_profile(jobs, profile, target):
    found = jobs("--profile", profile, target)
    files = [path.stem for path in (WORKFLOW / "targets").glob("*.yaml")]
    sweeps = [name for name in files if name.startswith("sweep_")]
    targets = dict.fromkeys([*(name for name in files if name not in sweeps), target], 1)
    once = {**FRAME, **SMOKE, **targets, "prepare_photo_crops": 1}
    assert {name: found.get(name) for name in once} == once
    assert found["sweep"] == len(sweeps)
    others = found.keys() - once.keys() - {"sweep", *sweeps}
    assert all(name.startswith(MADE) for name in others)


def test_all_is_the_default(jobs):
    assert jobs("--cores", "1")["all"] == 1


MORE = ("rows=rfnn,cnn_b", "columns=n2000", "seeds=5")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["sweep_rfnn_basis"],
            {"track_init": 1, "prepare_digits": 1, "sweep": 1, "sweep_rfnn_basis": 1},
        ),
        (["prepare_cifar10_jpeg"], {"prepare_cifar10_jpeg": 1}),
        (["figure9"], {"track_init": 1, "figure9": 1}),
        (["training_memory"], {"track_init": 1, "training_memory": 1}),
        (
            ["figure21", "figure18", "--config", "preset=small"],
            {"track_init": 1, "prepare_cifar10_jpeg": 1, "train": 2, "figure21": 1, "figure18": 1},
        ),
        (["prepare_imagenet"], {"prepare_imagenet": 1}),
        (["figure6", "--config", "preset=small"], {**FRAME, "prepare_mnist": 1, "train": 16}),
        (["figure6", "--config", "preset=paper"], {**FRAME, "prepare_mnist": 1, "train": 192}),
        (
            ["figure11_scores", "--config", "preset=small", "ledger=ignore"],
            {"track_init": 1, "figure11_scores": 1, "prepare_bsds500_7d3b606e": 1, "train": 3},
        ),
        (
            ["figure6", "--config", "preset=small", *MORE],
            {**FRAME, "prepare_mnist": 1, "train": 10},
        ),
    ],
)
def test_jobs_of_a_target(jobs, words, expected):
    assert jobs(*words) == expected


def test_run_in_the_ledger_is_not_trained_again(jobs, clone):
    lines = [ledger_line(make_result(r.spec)) for r in floor("small")[:5]]
    append(clone / "workflow" / "ledger", lines)
    small = ["figure6", "--config", "preset=small"]
    assert jobs(*small)["train"] == 11
    assert jobs(*small, "ledger=ignore")["train"] == 16


def test_analysis_needs_weights_which_the_ledger_lacks(jobs, clone):
    specs = [r.spec for r in floor("small", "table3", rows=["rfnin"])]
    append(clone / "workflow" / "ledger", [ledger_line(make_result(spec)) for spec in specs])
    small = ["--config", "preset=small"]
    assert jobs("figure2", *small)["train"] == 1
    publish(clone / "results", specs)
    assert "train" not in jobs("figure2", *small)


def test_published_runs_are_left_alone_when_data_and_store_are_gone(jobs, clone):
    publish(clone / "results", [r.spec for r in floor("small")])
    small = ["--profile", "profiles/test", "figure6", "--config", "preset=small"]
    assert jobs(*small) == {"figure6": 1, "track_init": 1}
    assert jobs(*small, "seeds=4")["train"] == 4 * (1 + 3)


def test_demo_is_smoke(snakemake):
    text = snakemake("-n", "demo", "--config", "preset=small", code=1)
    assert "demo runs the smoke preset, but preset=small" in text


def test_run_that_was_not_asked_for_is_explained(snakemake):
    path = "results/runs/cnn_b-mnist-n300-s9-00000000/result.json"
    assert "not among those asked for" in snakemake("-n", path, code=1)


def test_two_workers_train_once_in_smoke(snakemake):
    text = snakemake("-n", "-p", TWO)
    commands = [line for line in text.splitlines() if "pipelines.train" in line]
    assert len(commands) == 1
    assert "--workers 2 --min-workers 2 --cpus-per-worker 1" in commands[0]
    assert "--targets figure6" in commands[0]
    assert "mpi=srun, nodes=2, tasks=2" in text
    assert "cpus_per_task=1, slurm_extra=--ntasks-per-node=1" in text


def test_one_node_at_most(snakemake):
    text = snakemake("-n", "-p", "all", "--config", "nodes=1")
    assert "rule train_chapter3_workers2_0" in text
    assert "mpi=" not in text


def test_runs_over_several_nodes_are_jobs_of_a_rule_of_their_own(jobs, clone):
    experiment = clone / "workflow" / "experiments" / "chapter3" / "mnist_cnn.yaml"
    text = experiment.read_text()
    experiment.write_text(text.replace("resources:\n", "resources:\n  small: {nodes: 2}\n"))
    small = ["figure6", "--config", "preset=small", "columns=n300", "seeds=1"]
    assert jobs(*small)["train"] == 4
    spread = jobs(*small, "workers={small: {default: 2}}")
    assert (spread["train"], spread["train_over_nodes"]) == (3, 1)
