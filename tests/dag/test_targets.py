"""Which jobs the targets ask for, and what changes them."""

import pytest

from structnets.reporting.ledger import append, ledger_line
from tests.made_results import floor, make_result, publish

FRAME = {"track_init": 1, "figure6": 1}
SMOKE = {"prepare_digits": 1, "train_chapter3_workers1_0": 1, "train_chapter3_workers2_0": 1}


@pytest.mark.parametrize(
    ("profile", "target"), [("profiles/local", "demo"), ("profiles/test", "all"), ("slurm", "all")]
)
def test_fresh_clone_resolves_in_every_profile(jobs, profile, target):
    assert jobs("--profile", profile, target) == {**FRAME, **SMOKE, "sweep": 1, target: 1}


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
        (["prepare_imagenet"], {"prepare_imagenet": 1}),
        (["figure6", "--config", "preset=small"], {**FRAME, "prepare_mnist": 1, "train": 16}),
        (["figure6", "--config", "preset=paper"], {**FRAME, "prepare_mnist": 1, "train": 144}),
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
    text = snakemake("-n", "-p", "train_chapter3_workers2_0")
    commands = [line for line in text.splitlines() if "pipelines.train" in line]
    assert len(commands) == 1
    assert "--workers 2 --cpus-per-worker 1" in commands[0]
    assert "--targets figure6" in commands[0]
