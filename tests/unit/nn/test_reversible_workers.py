"""Reversible training under DistributedDataParallel: two gloo processes, summed by hooks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("reversible_worker.py")


@pytest.mark.slow
def test_two_processes_find_the_mean_of_plain_gradients(tmp_path: Path) -> None:
    group = [subprocess.Popen([sys.executable, SCRIPT, str(r), str(tmp_path)]) for r in (0, 1)]
    try:
        assert [process.wait(120) for process in group] == [0, 0]
    finally:
        for process in group:
            process.kill()
            process.wait()
    alone = torch.load(tmp_path / "alone.pt", weights_only=True)
    for rank in (0, 1):
        shared = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)
        assert shared.keys() == alone.keys()
        for name, value in shared.items():
            if name.startswith("grad"):
                torch.testing.assert_close(value, alone[name], rtol=1e-9, atol=1e-12)
            elif rank == 0:
                torch.testing.assert_close(value, alone[name], rtol=1e-12, atol=1e-14)
