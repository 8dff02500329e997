"""Keep the memory of freed tensors for the next ones, which have the same sizes at every step."""

from __future__ import annotations

import ctypes

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> bool:
    """Tell glibc not to return freed memory to the system, for the rest of this process.

    By default it returns every block over 32 MB at once, and the system clears the pages of the
    next one: a third of a training's time where maps are that large.

    Returns
    -------
    bool
        Whether the C library knows these settings; others are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_ARENA_MAX, 1))
    return all(mallopt(setting, value) == 1 for setting, value in settings)
