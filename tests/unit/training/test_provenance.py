"""Where a number comes from: git state, versions, hardware."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
import torch

from structnets.training import provenance


def test_git_state_names_commit_and_changes(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    clean = provenance.git_state(tmp_path)
    assert len(clean["sha"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "new").write_text("untracked files are no change")
    assert provenance.git_state(tmp_path) == clean
    (tmp_path / "file").write_text("two")
    assert provenance.git_state(tmp_path) == {"sha": clean["sha"], "dirty": True}


def test_hardware_of_this_machine() -> None:
    found = provenance.hardware(torch.device("cpu"), 3, 2)
    assert (found["class"], found["threads"], found["world_size"]) == ("cpu", 3, 2)
    assert found["name"]
    assert found["instructions"] == torch.backends.cpu.get_cpu_capability()
    assert found["nodes"] == [platform.node().partition(".")[0]]
    assert provenance.peak_memory_mb(torch.device("cpu")) > 10


def test_versions_of_what_numbers_depend_on() -> None:
    found = provenance.versions()
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert found.keys() >= {"python", "numpy", "structnets"}


def test_no_checkout_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.git_state(tmp_path) == {"sha": None, "dirty": None}
