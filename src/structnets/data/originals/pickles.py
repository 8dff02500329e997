"""Reader of pickled arrays and plain containers that runs nothing a file names.

CIFAR comes as Python pickles. A pickle is a program: loading one as usual can call any function.
Here the few names that such files use stand for inert classes of this module, NumPy's own are
never touched, and every other name is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

from structnets.foreign.shown import shortened, shown

_ARRAY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
_BYTE = ("u1", b"u1")
# The instructions that plain data needs; the others make objects, or memory, of any size.
_INSTRUCTIONS = frozenset(
    """
PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT
BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES BINBYTES8 SHORT_BINBYTES UNICODE BINUNICODE
BINUNICODE8 SHORT_BINUNICODE EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
EMPTY_DICT DICT SETITEM SETITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL
STACK_GLOBAL REDUCE BUILD
""".split()  # noqa: SIM905
)
_FAULTS = (
    *(pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError),
    *(TypeError, ValueError, MemoryError, OverflowError, RecursionError),
)


def read_plain_pickle(content: bytes, name: str) -> Any:
    """Read a pickle of dicts, lists, tuples, numbers, text and arrays of bytes.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str
        How errors call it.

    Returns
    -------
    object
        The content; text as `str` where it is ASCII, arrays as uint8 `numpy.ndarray`.

    Raises
    ------
    ValueError
        If the pickle asks for anything else, is truncated or has bytes after its end.
    """
    stream = io.BytesIO(content)
    try:
        _check_instructions(content)
        loaded = _plain(_PlainUnpickler(stream, encoding="bytes").load(), {})
    except _RefusedError as error:
        raise ValueError(f"{name} is refused: {shortened(error)}") from error
    except _FAULTS as error:
        said = shortened(error or type(error).__name__)
        raise ValueError(f"{name} is no whole pickle: {said}; download it again") from error
    if trailing := len(content) - stream.tell():
        raise ValueError(
            f"{name} has {trailing} bytes after the end of its pickle; download it again"
        )
    return loaded


def _check_instructions(content: bytes) -> None:
    """Refuse a pickle that would take more memory than its own size explains."""
    for instruction, argument, _ in pickletools.genops(content):
        if instruction.name not in _INSTRUCTIONS:
            raise _RefusedError(f"it uses the instruction {instruction.name}")
        # A place in the table of remembered objects: the table grows to hold it.
        if "PUT" in instruction.name and not 0 <= (argument or 0) <= len(content):
            raise _RefusedError(f"it remembers an object at place {argument}")


class _RefusedError(Exception):
    """What a pickle asks for that no file of plain data needs."""


class _Array:
    """Stand-in of an array while its pickle is read; it only remembers shape and bytes."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.content = b""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _RefusedError("it holds an array of an unknown form")
        _, shape, dtype, is_fortran, content = state
        whole = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        if not whole or not isinstance(dtype, _Bytes) or is_fortran:
            raise _RefusedError("it holds an array that is not of bytes in C order")
        if not isinstance(content, bytes) or len(content) != math.prod(shape):
            raise _RefusedError(f"its array of shape {shown(shape)} has another number of bytes")
        self.shape, self.content = shape, content


class _Bytes:
    """Stand-in of NumPy's type of unsigned bytes; whatever else a pickle says of it is idle."""

    def __setstate__(self, state: Any) -> None:
        pass


class _Name:
    """Stand-in of a name: it can be called and passed on, never changed."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise _RefusedError("it changes what a name means")


def _make_array(kind: Any, *_: Any) -> _Array:
    if kind is not _NDARRAY:
        raise _RefusedError("it makes an array of another class than numpy.ndarray")
    return _Array()


def _make_dtype(name: Any, *_: Any) -> _Bytes:
    if name not in _BYTE:
        raise _RefusedError(f"it holds an array of type {shown(name)}, allowed: 'u1'")
    return _Bytes()


def _encode(text: Any, encoding: Any) -> bytes:
    """Do what Python 3 writes for bytes in protocol 2."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise _RefusedError(f"it encodes text as {shown(encoding)}, allowed: 'latin1'")
    return text.encode("latin1")


def _refuse_call(*_: Any) -> Any:
    raise _RefusedError("it calls numpy.ndarray")


_NDARRAY = _Name(_refuse_call)
_NAMES = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Name(_make_dtype),
    ("_codecs", "encode"): _Name(_encode),
    **{(module, "_reconstruct"): _Name(_make_array) for module in _ARRAY_MODULES},
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        found = _NAMES.get((module_name, global_name))
        if found is None:
            raise _RefusedError(f"it asks for {module_name}.{global_name}")
        return found


def _plain(value: Any, seen: dict[int, Any]) -> Any:
    """Turn what was read into plain values: ASCII bytes into text, stand-ins into arrays.

    `seen` holds what is done by identity: a small file can refer to one list very many times.
    """
    if id(value) not in seen:
        seen[id(value)] = _plain_anew(value, seen)
    return seen[id(value)]


def _plain_anew(value: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return np.frombuffer(value.content, dtype=np.uint8).reshape(value.shape)
    if isinstance(value, bytes):
        return value.decode("ascii") if value.isascii() else value
    if isinstance(value, dict):
        if not all(isinstance(key, (bytes, str, int)) for key in value):
            raise _RefusedError("it holds a dict with other keys than text and numbers")
        return {_plain(key, seen): _plain(entry, seen) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(entry, seen) for entry in value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise _RefusedError(f"it holds an object of type {type(value).__name__}")
