"""One Slurm for all tests of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.packages import obstacle
from tests.cluster.slurm import Cluster
from tests.made_results import REPOSITORY


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a running cluster; tests that need it skip where it cannot be."""
    if reason := obstacle():
        pytest.skip(reason)
    state = tmp_path_factory.mktemp("cluster")
    with Cluster(state, shared=(REPOSITORY, Path(sys.prefix))) as running:
        yield running
