"""A port of the loopback for tests that start a server, and start it again."""

from __future__ import annotations

import random
import socket

import pytest

# Linux gives connections that go out the ports from 32768 on; a server's port that is free for a
# while must not be one of them, or it may be somebody's when the server starts again.
OWN_PORTS = range(20_000, 32_000)


@pytest.fixture
def port() -> int:
    """Return a port that nothing listens at, and no connection will take."""
    # Not the seeded generator: processes that test side by side would all begin at one port.
    draw = random.SystemRandom()
    for _ in range(100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate := draw.choice(OWN_PORTS)))
            except OSError:
                continue
            return candidate
    raise RuntimeError("a hundred ports of the loopback were all taken")
