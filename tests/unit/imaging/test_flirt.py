"""The command line of FSL's flirt, by a stand-in on the PATH, and its matrix' coordinates."""

import json
import sys

import numpy as np
import pytest

from structnets.imaging.flirt import from_flirt, register_with_flirt
from structnets.imaging.volumes import Volume

# Writes down its arguments and what it was given, and answers with the identity.
STAND_IN = """#!{python}
import json, sys, pathlib, nibabel
words = sys.argv[1:]
given = dict(zip(words[::2], words[1::2]))
shapes = [list(nibabel.load(given[key]).shape) for key in ("-in", "-ref")]
pathlib.Path({log!r}).write_text(json.dumps([words[::2], given["-dof"], given["-cost"], shapes]))
if {code}:
    sys.exit("no good cost")
pathlib.Path(given["-omat"]).write_text({matrix!r})
"""
IDENTITY = "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"


@pytest.fixture
def flirt(tmp_path, monkeypatch):
    def install(code=0, matrix=IDENTITY):
        log = tmp_path / "log.json"
        program = tmp_path / "flirt"
        text = STAND_IN.format(python=sys.executable, log=str(log), code=code, matrix=matrix)
        program.write_text(text)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return log

    return install


@pytest.fixture
def volume(ramp):
    return Volume(ramp, np.diag([5.0, 5, 5, 1]))


def test_command_line(flirt, volume):
    log = flirt()
    found = register_with_flirt(volume)
    options, degrees, cost, shapes = json.loads(log.read_text())
    assert options == ["-in", "-ref", "-omat", "-dof", "-cost", "-searchcost"]
    assert (degrees, cost) == ("12", "mutualinfo")
    assert shapes == [[20, 24, 22], [91, 109, 91]]
    assert (found.method, found.information) == ("flirt", None)
    assert abs(np.linalg.det(found.matrix)) == pytest.approx(1)


def test_a_failure_is_told(flirt, volume):
    flirt(code=1)
    with pytest.raises(RuntimeError, match="flirt ended with code 1: no good cost"):
        register_with_flirt(volume)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("", "flirt wrote no 4 x 4 matrix but ''"),
        ("1 0 0\n" * 4, "flirt wrote no 4 x 4 matrix but '1 0 0"),
        (IDENTITY.replace("1", "one"), "flirt wrote no 4 x 4 matrix but 'one"),
        (IDENTITY.replace("1", "nan"), "flirt wrote a matrix that cannot be inverted"),
        ("0 " * 16, "flirt wrote a matrix that cannot be inverted"),
    ],
)
def test_a_damaged_matrix_is_told(flirt, volume, matrix, message):
    flirt(matrix=matrix)
    with pytest.raises(RuntimeError, match=message):
        register_with_flirt(volume)


def test_no_flirt_says_what_to_do(tmp_path, monkeypatch, volume):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="not on the PATH; install FSL, or set"):
        register_with_flirt(volume)


def test_matrix_by_hand():
    # Both images 2 mm. FSL counts the first axis of the moving one (determinant > 0) from its
    # right end, that of the fixed one (determinant < 0) as it is.
    data = np.zeros((10, 10, 10), np.float32)
    moving = Volume(data, np.diag([2.0, 2, 2, 1]))
    fixed = Volume(data, np.diag([-2.0, 2, 2, 1]))
    matrix = np.eye(4)
    matrix[:3, 3] = [1, 2, 3]
    found = from_flirt(matrix, moving, fixed)
    # The fixed point (-4, 6, 8) is FSL's (4, 6, 8); the moving one FSL's (3, 4, 5), 18 - 3 right.
    np.testing.assert_allclose(found @ [-4, 6, 8, 1], [15, 4, 5, 1])
