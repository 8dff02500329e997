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
    assert "train:gpu=1" in content["set-resources"]
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
    assert content["slurm-status-command"] == "sacct"


def test_no_default_tasks(profile):
    assert "tasks" not in str(profile())


def test_without_root_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    reason = packages.obstacle()
    assert reason is not None
    assert "needs root" in reason
