"""The Slurm profile's variables; what needs no Slurm, so that it runs with the other tests."""

import pytest
from snakemake.profiles import ProfileConfigFileParser

from tests.cluster import packages
from tests.made_results import REPOSITORY

PROFILE = REPOSITORY / "profiles" / "slurm" / "profile.v9+.yaml"


@pytest.fixture
def profile(monkeypatch):
    """Return a reader of the profile under the given variables."""

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"STRUCTNETS_SLURM_{name.upper()}", value)
        with PROFILE.open() as stream:
            return ProfileConfigFileParser().parse(stream)

    return read


def test_nothing_set(profile):
    content = profile()
    assert content["default-resources"] == ["mem_mb=8000", "runtime=60"]
    assert {"train:gpu=1", "sweep:gpu=1"} < set(content["set-resources"])
    over_nodes = [word for word in content["set-resources"] if "train_over_nodes" in word]
    extra = "train_over_nodes:slurm_extra='--ntasks-per-node=1 --gpus-per-node=1'"
    assert over_nodes == ["train_over_nodes:gpus_per_node=1", extra]
    # Memory and time are those of a run's size class.
    assert not any("mem_mb" in word or "runtime" in word for word in content["set-resources"])
    assert content["slurm-status-command"] == "squeue"


def test_everything_set(profile):
    content = profile(
        partition="cpu", gpu_partition="gpu", account="123", gpus="4", gpu_kind="a100",
        mem_mb="64000", runtime="99", status="sacct",
    )  # fmt: skip
    # Quotes keep Snakemake from computing the values.
    assert "slurm_partition='cpu'" in content["default-resources"]
    assert "slurm_account='123'" in content["default-resources"]
    train = {"gpu=4", "gpu_model='a100'", "slurm_partition='gpu'", "mem_mb=64000", "runtime=99"}
    assert {f"train:{word}" for word in train} <= set(content["set-resources"])
    extra = "train_over_nodes:slurm_extra='--ntasks-per-node=1 --gpus-per-node=a100:4'"
    assert extra in content["set-resources"]
    assert content["slurm-status-command"] == "sacct"


def test_on_processors(profile):
    content = profile(gpus="0")
    assert not any("gpus-per-node" in word for word in content["set-resources"])


@pytest.mark.parametrize(("gpus", "extra"), [("0", ""), ("2", " --gpus-per-node=2")])
def test_elastic(profile, gpus, extra):
    content = profile(elastic="1", gpus=gpus)
    words = {
        "train_over_nodes:min_workers=1",
        f"train_over_nodes:slurm_extra='--ntasks-per-node=1 --no-kill{extra}'",
    }
    assert words < set(content["set-resources"])


def test_no_default_tasks(profile):
    content = profile()
    words = (*content["default-resources"], *content["set-resources"])
    assert not any(word.partition("=")[0].endswith("tasks") for word in words)


def test_without_root_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    reason = packages.obstacle()
    assert reason is not None
    assert "needs root" in reason
