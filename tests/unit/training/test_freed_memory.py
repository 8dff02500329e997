"""Freed memory stays with the process where the C library is glibc."""

from __future__ import annotations

import subprocess
import sys

import pytest

from structnets.training import freed_memory

STEPS = """
import resource, torch
from structnets.training.freed_memory import keep_freed_memory
print(keep_freed_memory())
for _ in range(3):
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_large_blocks_are_used_again_without_new_pages() -> None:
    """A block of 64 MB has 16,384 pages, which the system would clear three times."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    known, faults = done.stdout.split()
    if known == "False":
        pytest.skip("no glibc")
    assert int(faults) < 1000


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", lambda name: object())
    assert freed_memory.keep_freed_memory() is False
