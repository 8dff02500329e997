"""Registration of a native T1: at most 20 s of one core and 2 GB, its bias field included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUBJECT = """
import resource, sys, time
from structnets.imaging.subject import prepare_subject
begun = time.process_time()
prepare_subject(sys.argv[1])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
print(time.process_time() - begun, peak)
"""
MOST_MB = 2048


@pytest.mark.benchmark
def test_a_native_scan_within_time_and_memory(data_root: Path) -> None:
    scan = data_root / "mri" / "ds002748" / "sub-20" / "anat" / "sub-20_T1w.nii.gz"
    command = [sys.executable, "-c", SUBJECT, str(scan)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = map(float, done.stdout.split())
    print(f"\n{seconds:.1f} CPU s, {peak:.0f} MB")
    assert peak < MOST_MB
