"""Pickles of plain data are read; anything that could run, or lies, is refused."""

import codecs
import os
import pickle
import pickletools

import numpy as np
import pytest

from structnets.data.originals.pickles import read_plain_pickle

SIZE = ("BININT1", 7)
CONTENT = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), "labels": [1, 2], "name": "é"}


class Runs:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(2, 5))
def test_plain_data_survives(protocol):
    read = read_plain_pickle(pickle.dumps(CONTENT, protocol), "made")
    np.testing.assert_array_equal(read["data"], CONTENT["data"])
    assert read["data"].dtype == np.uint8
    assert (read["labels"], read["name"]) == ([1, 2], "é")


def test_bytes_of_python_2_become_text():
    """Python 2 wrote text and bytes alike; the golden file is written by hand."""
    content = (
        b"\x80\x02}(U\x04dataU\x02\xff\x00U\x06labels]K\x03au."
        # dict: "data" -> two bytes, "labels" -> [3]
    )
    assert read_plain_pickle(content, "made") == {"data": b"\xff\x00", "labels": [3]}


def test_array_of_python_2():
    """An array as NumPy under Python 2 pickled it: its values are a string."""
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02K\x02\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x04\x00\x01\x80\xfftb."
    )
    assert read_plain_pickle(content, "made").tolist() == [[0, 1], [128, 255]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Runs(os.system, "touch hacked"), "asks for .*system"),
        (Runs(eval, "1"), r"asks for .*eval"),
        ({"data": Runs(codecs.decode, b"61", "hex")}, "asks for _codecs.decode"),
        (Runs(codecs.encode, "61", "rot13"), "encodes text as 'rot13'"),
        (Runs(np.frombuffer, b"ab"), "asks for numpy.*frombuffer"),
        (np.zeros(2), "array of type 'f8'"),
        (np.array([None]), "array of type 'O8'"),
        (np.asfortranarray(np.ones((2, 2), np.uint8)), "not of bytes in C order"),
        ({1, 2}, "asks for .*set|object of type set"),
        ({(1, 2): 3}, "other keys than text"),
        (3j, "asks for .*complex"),
    ],
)
def test_hostile_or_foreign_content_is_refused(value, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"made is refused: .*({message})"):
        read_plain_pickle(pickle.dumps(value, protocol=2), "made")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x02cnumpy\ndtype\n}U\x01xK\x01sb.", "changes what a name means"),
        (b"\x80\x02cnumpy\nndarray\n)R.", "calls numpy.ndarray"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\n\x85R.", "another class"),
        (b"\x80\x02U\x01xQ.", "instruction BINPERSID"),
        (b"\x80\x05\x96" + bytes(7) + b"\x40.", "no whole pickle|instruction BYTEARRAY8"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "remembers an object at place 4294967295"),
        (b"\x80\x02cnumpy\nndarray\n.", "object of type _Name"),
    ],
)
def test_allowed_names_are_inert(content, message):
    with pytest.raises(ValueError, match=message):
        read_plain_pickle(content, "made")


def test_an_array_that_promises_more_than_it_holds():
    honest = pickle.dumps(np.zeros((2, 7), np.uint8), protocol=2)
    place = next(at for op, arg, at in pickletools.genops(honest) if (op.name, arg) == SIZE)
    lying = bytearray(honest)
    lying[place + 1] = 200
    with pytest.raises(ValueError, match=r"shape \(2, 200\) has another number of bytes"):
        read_plain_pickle(bytes(lying), "made")


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x02]q\x00(K", b"\x80\x02]r\xff"])
def test_what_is_no_pickle(content):
    with pytest.raises(ValueError, match="made is no whole pickle"):
        read_plain_pickle(content, "made")


def test_every_truncation_is_noticed():
    content = pickle.dumps(CONTENT, protocol=2)
    for length in range(len(content)):
        with pytest.raises(ValueError, match="made is"):
            read_plain_pickle(content[:length], "made")
    with pytest.raises(ValueError, match="3 bytes after the end"):
        read_plain_pickle(content + b"abc", "made")


def test_lists_within_lists_end():
    nested = []
    nested.append(nested)
    with pytest.raises(ValueError, match="no whole pickle"):
        read_plain_pickle(pickle.dumps(nested, protocol=2), "made")
    doubled = [0]
    for _ in range(60):
        doubled = [doubled, doubled]
    assert len(read_plain_pickle(pickle.dumps(doubled, protocol=2), "made")) == 2
