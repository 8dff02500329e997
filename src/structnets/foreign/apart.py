"""Reading in a process that may die: for libraries that a file can crash, or fill the memory of.

`read_apart` hands a file's bytes to a process of its own, kept for the next file, which has a
limit of memory and of time. Whatever happens there, the caller gets the content or a `ValueError`.
What comes back is unpickled by names that only make arrays, since a process that read a hostile
file is believed no more than the file.
"""

from __future__ import annotations

import atexit
import io
import os
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
from typing import IO, Any

from structnets.foreign.limits import Limit, TooLargeError

LENGTH = struct.Struct("<Q")
_SECONDS = 60.0
_PIECE = 1 << 20
# What NumPy's arrays, types and scalars are pickled by.
_NAMES = {"_reconstruct", "scalar", "ndarray", "dtype"}


def read_apart(function: str, content: bytes, name: object, limit: Limit) -> Any:
    """Call a reader on the bytes of a file, in a process that may die of them.

    Parameters
    ----------
    function : str
        ``package.module:function`` of this library, which takes the bytes and returns plain
        values and arrays. A `ValueError` of its is raised here, with the file's name before it.
    content : bytes
        Of the file.
    name : object
        What errors call the file.
    limit : Limit
        Bytes that the content may unpack to. The process may take four times as much, since
        readers copy.

    Raises
    ------
    ValueError
        If the reader refuses the content, crashes, takes too much memory or too long.
    """
    with _READER.lock:
        answer, value = _READER.ask(function, content, limit.value())
    if answer == "read":
        return value
    if answer == "memory":
        raise TooLargeError(limit.refusal(name, "more than what may be read"))
    raise ValueError(f"{name} {value}; it is damaged or hostile: copy or download it again")


class _Reader:
    """A process that reads, started when it is needed and again after it died."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, function: str, content: bytes, limit: int) -> tuple[str, Any]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            head = pickle.dumps((function, limit))
            for part in (head, content):
                process.stdin.write(LENGTH.pack(len(part)))
                process.stdin.write(part)
            process.stdin.flush()
            return _answer(process.stdout, time.monotonic() + _SECONDS, 4 * limit)
        except TimeoutError:
            self.stop()
            return "damaged", f"was not read within {_SECONDS:.0f} s"
        except (OSError, EOFError, pickle.UnpicklingError):
            process.kill()
            code = process.wait()
            self.stop()
            return "damaged", f"made its reader crash (code {code})"
        except BaseException:
            self.stop()  # interrupted, it would answer the next question with this content
            raise

    def stop(self) -> None:
        """End the process, if it is this one's."""
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        # A fork of the process that started it must not speak to it.
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            # Each thread of a numerical library would reserve memory of its own.
            environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "structnets.foreign.reader_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # an interrupt at the terminal is the caller's
            )
            self._owner = os.getpid()
        return self._process


_READER = _Reader()
atexit.register(_READER.stop)


def _answer(file: IO[bytes], until: float, most: int) -> tuple[str, Any]:
    length = LENGTH.unpack(_exactly(file, LENGTH.size, until))[0]
    if length > most:
        return "memory", None
    return _ArraysOnly(io.BytesIO(_exactly(file, length, until))).load()


def _exactly(file: IO[bytes], count: int, until: float) -> bytes:
    """Read so many bytes of a pipe, waiting until a time."""
    parts, missing = [], count
    while missing:
        if not select.select([file], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(file.fileno(), min(missing, _PIECE))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        import numpy

        if global_name.startswith("Matlab"):  # SciPy's marks on arrays
            return numpy.ndarray
        if module_name.partition(".")[0] == "numpy" and global_name in _NAMES:
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"{module_name}.{global_name}")
