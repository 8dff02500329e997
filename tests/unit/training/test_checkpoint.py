"""Checkpoints: two kept, damage passed over, a full disk survived."""

from __future__ import annotations

import contextlib
import errno
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from structnets.training.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@contextlib.contextmanager
def full_after(size: int) -> Iterator[None]:
    """Let this process write no file beyond `size` bytes, as a full disk does.

    No longer than needed: pytest's own log may be such a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def state_of(step: int) -> dict[str, Any]:
    return {"step": step, "model": {"weight": torch.full((1000,), float(step))}}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_state_comes_back(folder: Path) -> None:
    assert save_checkpoint(folder, 5, state_of(5))
    state = load_checkpoint(folder)
    assert state is not None
    assert state["step"] == 5
    assert torch.equal(state["model"]["weight"], torch.full((1000,), 5.0))


def test_newest_two_are_kept(folder: Path) -> None:
    for step in (9, 10, 100, 1_000_000_001):
        save_checkpoint(folder, step, state_of(step))
    assert names(folder) == ["step-000000100.pt", "step-1000000001.pt"]


@pytest.mark.parametrize("length", [0, 1, 300])
def test_truncated_newest_falls_back_to_the_older(
    folder: Path, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (10, 20):
        save_checkpoint(folder, step, state_of(step))
    newest = folder / "step-000000020.pt"
    newest.write_bytes(newest.read_bytes()[:length])
    state = load_checkpoint(folder)
    assert state is not None
    assert state["step"] == 10
    assert "step-000000020.pt is damaged" in caplog.text


def test_flipped_bytes_are_noticed(folder: Path) -> None:
    """The archive's checksum of the weights is verified, not only its table of contents."""
    for step in (10, 20):
        save_checkpoint(folder, step, state_of(step))
    newest = folder / "step-000000020.pt"
    content = bytearray(newest.read_bytes())
    place = content.index(torch.tensor([20.0]).numpy().tobytes() * 4)
    content[place] ^= 0xFF
    newest.write_bytes(content)
    state = load_checkpoint(folder)
    assert state is not None
    assert state["step"] == 10


def test_all_damaged_is_none(folder: Path) -> None:
    folder.mkdir()
    (folder / "step-000000001.pt").write_bytes(b"no archive")
    assert load_checkpoint(folder) is None


def test_file_that_runs_code_is_refused(folder: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    folder.mkdir()
    torch.save({"step": 1, "x": Hostile()}, folder / "step-000000001.pt")
    assert load_checkpoint(folder) is None
    assert not (tmp_path / "ran").exists()


def test_full_disk_is_survived(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert save_checkpoint(folder, 10, state_of(10))
    with full_after(2000):
        saved = save_checkpoint(folder, 20, state_of(20))
    assert not saved
    assert names(folder) == ["step-000000010.pt"]
    assert "could not be written" in caplog.text


def test_full_disk_reported_by_the_system_is_survived(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(state: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    assert save_checkpoint(folder, 10, state_of(10))
    monkeypatch.setattr(torch, "save", refuse)
    assert not save_checkpoint(folder, 20, state_of(20))
    assert names(folder) == ["step-000000010.pt"]


def test_nothing_there_is_none(folder: Path) -> None:
    assert load_checkpoint(folder) is None
