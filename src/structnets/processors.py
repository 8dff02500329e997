"""How many processors there are to use, and threads that take one each."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor


def available_processors() -> int:
    """Count the processors that this process may use; not every system can tell them from all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def single_threaded_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Start threads in which torch computes on one thread, which is what their number is for.

    Parameters
    ----------
    threads : int
        Their number.
    name : str
        What their names begin with.
    """
    import torch

    before = torch.get_num_threads()
    started = threading.Barrier(threads + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        started.wait()

    pool = ThreadPoolExecutor(threads, name, initializer=begin)
    for _ in range(threads):
        pool.submit(lambda: None)
    started.wait()
    # The number set last is what threads begun later take; it was not meant for them.
    torch.set_num_threads(before)
    return pool
