"""Freed memory stays with the process where the C library is glibc."""

from __future__ import annotations

import subprocess
import sys

import pytest

from structnets.training import freed_memory

STEPS = """
import ctypes, resource
from structnets.training.freed_memory import keep_freed_memory
print(keep_freed_memory())
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p

def use():
    block = ctypes.c_void_p(library.malloc(ctypes.c_size_t(2**26)))
    ctypes.memset(block, 1, 2**26)
    library.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

first = use()
print(use() - first)
"""


def test_large_blocks_are_used_again_without_new_pages() -> None:
    """A block of 64 MB has 16,384 pages, which the system would clear again."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    known, faults = done.stdout.split()
    if known == "False":
        pytest.skip("no glibc")
    assert int(faults) < 1000


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", lambda name: object())
    assert freed_memory.keep_freed_memory() is False
