import os

import numpy as np
import pytest

from structnets.foreign import apart
from structnets.foreign.apart import read_apart
from structnets.foreign.limits import Limit, TooLargeError

LIMIT = Limit("STRUCTNETS_TEST_LIMIT_MB", 20, "data")
READERS = "tests.unit.foreign.readers"


def read(reader, content=b"some"):
    return read_apart(f"{READERS}:{reader}", content, "a.mat", LIMIT)


def test_content_comes_back():
    found = read("length", bytes(10_000_000))
    assert found["length"] == 10_000_000
    np.testing.assert_array_equal(found["array"], [0, 1, 2])
    assert found["named"][0] == {"a": 1}


def test_one_process_reads_many_files():
    read("length")
    first = apart._READER._process.pid
    read("length")
    assert apart._READER._process.pid == first != os.getpid()


def test_a_crash_is_an_error_and_the_next_file_is_read():
    with pytest.raises(ValueError, match=r"a\.mat made its reader crash \(code -11\); .*again"):
        read("crash")
    assert read("length")["length"] == 4


def test_memory_is_bounded_and_the_limit_said(monkeypatch):
    with pytest.raises(TooLargeError, match=r"a\.mat .*limit is 20 MB; .*STRUCTNETS_TEST_LIMIT_MB"):
        read("fill")
    with pytest.raises(TooLargeError, match="limit is 20 MB"):
        read("large", bytes(10_000_000))
    monkeypatch.setenv(LIMIT.variable, "200")
    assert len(read("large", bytes(10_000_000))) == 100_000_000


def test_time_is_bounded(monkeypatch):
    monkeypatch.setattr(apart, "_SECONDS", 1.0)
    with pytest.raises(ValueError, match=r"a\.mat was not read within 1 s"):
        read("hang")
    assert read("length")["length"] == 4


def test_what_is_no_array_is_not_unpickled():
    with pytest.raises(ValueError, match=r"a\.mat made its reader crash"):
        read("stranger")
