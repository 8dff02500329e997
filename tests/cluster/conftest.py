"""One Slurm for all tests of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import prepare
from tests.cluster.packages import obstacle
from tests.cluster.slurm import Cluster
from tests.cluster.tracking import TrackingServer
from tests.made_results import REPOSITORY


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a running cluster; tests that need it skip where it cannot be."""
    if reason := obstacle():
        pytest.skip(reason)
    state = tmp_path_factory.mktemp("cluster")
    with Cluster(state, shared=(REPOSITORY, Path(sys.prefix))) as running:
        yield running


@pytest.fixture(scope="session")
def tracking(cluster: Cluster) -> Iterator[TrackingServer]:
    """Return an MLflow server over PostgreSQL on the head."""
    if not cluster.separate:
        pytest.skip("without a network of its own, a server would take this machine's ports")
    server = TrackingServer(cluster)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def prepared(cluster: Cluster) -> Path:
    """Return a root of prepared data that all nodes see."""
    root = cluster.state / "prepared"
    words = ["--data-json", '{"name": "digits"}', "--out", str(root / "digits")]
    assert prepare.main(words) == 0
    return root
