"""Readers that a hostile file makes misbehave, for the process of `structnets.foreign.apart`."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np


def length(content: bytes) -> Any:
    print("what a library prints is no answer")
    return {"length": len(content), "array": np.arange(3.0), "named": np.array([{"a": 1}])}


def crash(content: bytes) -> None:
    if content:
        os.kill(os.getpid(), signal.SIGSEGV)


def fill(content: bytes) -> int:
    return len(bytearray(1 << 33)) if content else 0


def hang(content: bytes) -> None:
    if content:
        time.sleep(60)


def large(content: bytes) -> bytes:
    return content * 10


class Stranger:
    """A class that no array needs."""


def stranger(content: bytes) -> Stranger:
    return Stranger()
