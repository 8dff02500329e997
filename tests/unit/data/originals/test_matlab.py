"""MATLAB files: read whole, refused by name when hostile or damaged."""

import contextlib

import numpy as np
import pytest
from scipy.io import savemat

from structnets.data.originals.matlab import load_mat
from structnets.foreign.limits import ARRAY, TooLargeError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.mat"
    savemat(path, {"zeros": np.zeros((1000, 1000)), "one": 1.0}, do_compression=True)
    return path


def test_variables_alone_are_returned(file):
    variables = load_mat(file)
    assert set(variables) == {"zeros", "one"}
    assert variables["zeros"].shape == (1000, 1000)


def test_bomb_is_refused_before_it_unpacks(file, monkeypatch):
    assert file.stat().st_size < 20_000
    monkeypatch.setenv(ARRAY.variable, "5")
    with pytest.raises(
        TooLargeError, match=r"file.mat has \d+ MB of data, the limit is 5 MB; .*set"
    ):
        load_mat(file)


def test_uncompressed_size_counts_too(tmp_path, monkeypatch):
    savemat(tmp_path / "plain.mat", {"zeros": np.zeros((500, 500))})
    monkeypatch.setenv(ARRAY.variable, "1")
    with pytest.raises(TooLargeError, match="the limit is 1 MB"):
        load_mat(tmp_path / "plain.mat")
    monkeypatch.setenv(ARRAY.variable, "50")
    assert set(load_mat(tmp_path / "plain.mat")) == {"zeros"}


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "file.mat"
    for content in (b"", b"\x89PNG", bytes(200), b"MATLAB 7.3" + bytes(118)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a MATLAB file of version 5 to 7"):
            load_mat(path)


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_one_kind_of_error(file, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(file.read_bytes())
    for place in rng.integers(128, len(content), 5):
        content[place] = rng.integers(256)
    file.write_bytes(bytes(content))
    with contextlib.suppress(ValueError):
        load_mat(file)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent.mat"):
        load_mat(tmp_path / "absent.mat")
