"""The process of `structnets.foreign.apart`: answers questions on its input until that ends."""

from __future__ import annotations

import contextlib
import importlib
import pickle
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

from structnets.foreign.apart import LENGTH


def answer(function: str, limit: int, content: bytes) -> tuple[str, Any]:
    """Call a reader; return ``read`` and its content, or what is wrong.

    Parameters
    ----------
    function : str
        ``package.module:function`` of this library.
    limit : int
        Bytes that the content may unpack to.
    content : bytes
        Of a file.
    """
    module, _, name = function.partition(":")
    found = getattr(importlib.import_module(module), name)
    with contextlib.suppress(Exception):
        found(b"")  # imports what it needs, which counts as held
    _limit_memory(4 * limit)
    try:
        return "read", found(content)
    except MemoryError:
        return "memory", None
    # What a damaged file makes a parser raise is not documented: anything, in practice.
    except Exception as error:
        return "damaged", _one_line(error)


def _one_line(error: Exception) -> str:
    said = " ".join(str(error)[:300].split())
    if isinstance(error, ValueError) and said.startswith("cannot be"):
        return said
    return f"cannot be read ({type(error).__name__}{': ' * bool(said)}{said})"


def _limit_memory(more: int) -> None:
    """Let this process take so many bytes besides those it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + more
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _part(file: BinaryIO) -> bytes | None:
    head = file.read(LENGTH.size)
    return file.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


def main() -> None:
    """Answer until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    while head := _part(source):
        content = _part(source)
        if content is None:
            return
        function, limit = pickle.loads(head)
        reply = answer(function, limit, content)
        try:
            text = pickle.dumps(reply, protocol=4)
        except Exception as error:
            text = pickle.dumps(("damaged", _one_line(error)), protocol=4)
        sink.write(LENGTH.pack(len(text)) + text)
        sink.flush()


if __name__ == "__main__":
    main()
