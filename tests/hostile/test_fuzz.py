"""Damaged files at random: each reader reads them, or says in one sentence what is wrong.

Bounded and the same at every run; ``make fuzz`` goes on for an hour with other examples
(``STRUCTNETS_FUZZ_SECONDS``).
"""

from __future__ import annotations

import os
import random
import resource
import signal
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.readers import READERS
from tests.hostile.whole_files import WHOLE

pytestmark = pytest.mark.slow
_SECONDS = float(os.environ.get("STRUCTNETS_FUZZ_SECONDS", "0"))
_EXAMPLES = 200
_HANGS = 20  # seconds for one file
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
# Other formats of one reader.
ALSO = dict.fromkeys(("gif", "webp", "bmp"), "photo")
# Not by bytes: what the file is called, or which process reads it, matters more.
FUZZED = list(WHOLE)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A whole file with a few bytes changed, a part cut out, doubled, or lost at the end."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        place = draw(st.integers(0, len(content) - 1))
        if draw(st.booleans()):  # headers decide more than what follows
            place %= 512
            place = min(place, len(content) - 1)
        length = draw(st.integers(1, 8))
        match draw(st.sampled_from(("set", "flip", "cut", "double", "end"))):
            case "set":
                value = draw(st.sampled_from(_INTERESTING) | st.integers(0, 255))
                content[place : place + length] = bytes([value]) * length
            case "flip":
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del content[place : place + length]
            case "double":
                content[place:place] = content[place : place + length]
            case "end":
                del content[place:]
    return bytes(content)


def _try(reader: str, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    signal.alarm(_HANGS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's words about a damaged file
            READERS[ALSO.get(reader, reader)](path)
    # As a stage ends with: one line. Anything else is a traceback.
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        said = str(error)
        assert str(path) in said or reader == "spec", said
        lines = said.splitlines()
        assert len(lines) <= (22 if reader in ("spec", "yaml", "study") else 1), said
        assert all(len(line) < 1500 and line.isprintable() for line in lines), said
    finally:
        signal.alarm(0)


def _hangs(number: int, frame: object) -> None:
    raise AssertionError(f"not read in {_HANGS} s")  # which no reader catches


@pytest.mark.parametrize("reader", FUZZED)
def test_damage_is_read_or_named(reader: str, tmp_path: Path) -> None:
    signal.signal(signal.SIGALRM, _hangs)
    whole, name = WHOLE[reader]()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole)
    READERS[ALSO.get(reader, reader)](path)  # the whole one is read
    limits = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    until, number, examples = time.monotonic() + _SECONDS / len(FUZZED), 0, 0
    while number == 0 or time.monotonic() < until:

        @seed(number)
        @limits
        @given(damaged(whole))
        def attempt(content: bytes) -> None:
            nonlocal examples
            examples += 1
            _try(reader, path, content)

        attempt()
        number = number + 1 if number else random.randrange(1, 1 << 40)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{reader}: {examples} examples, {held} MB at most")
    assert held < 4096
