"""The matcher where nothing can be cached: a read-only installation without a home."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import structnets

CODE = """
import os
import numpy as np
{before}
from structnets.metrics.boundary.thinning import thin
assert thin(np.ones((3, 9), bool)).sum() < 27
print(os.environ.get("NUMBA_CACHE_DIR", ""))
"""


@pytest.fixture
def installed(tmp_path):
    """Return a copy of what the matcher imports, in which nobody can write a cache."""
    source, copy = Path(structnets.__file__).parent, tmp_path / "structnets"
    inside = Path("metrics") / "boundary"
    shutil.copytree(
        source / inside, copy / inside, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for package in (Path(), Path("metrics")):
        (copy / package / "__init__.py").touch()
    # A file in its place stops root too, whom permissions would not.
    (copy / inside / "__pycache__").touch()
    return tmp_path


@pytest.mark.parametrize("before", ["", "import numba"])
def test_functions_compile_without_a_place_for_a_cache(installed, before):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA")}
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", CODE.format(before=before)],
        env={**environment, **nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("structnets-numba-")
    assert not folder.exists()
