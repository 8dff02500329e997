"""Entries by name, by installed entry point and by path; and what strangers may not name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from structnets.entries import Entry, Registry, foreign_paths, is_path, refuse_foreign

GROUP = "structnets.shapes"


@pytest.fixture
def shapes() -> Registry[Entry]:
    builtin = {"disc": Entry("math:pi", "round"), "square": Entry("math:e")}
    return Registry("shape", builtin, GROUP, Entry)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package that announces a class, an entry, a taken name and no name."""
    (tmp_path / "made_shapes.py").write_text(
        "from structnets.entries import Entry\nclass Star: ...\n"
        "RING = Entry('made_shapes:Star', 'hollow')\n"
    )
    announce(
        tmp_path, "made", star="made_shapes:Star", ring="made_shapes:RING", disc="a:b", A="a:b"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_shapes", raising=False)
    return tmp_path


def announce(folder: Path, distribution: str, **points: str) -> None:
    info = folder / f"{distribution}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")


def test_builtin_entries_load(shapes: Registry[Entry]) -> None:
    assert shapes.names() == ["disc", "square"]
    assert shapes.load(shapes.find("square")) == pytest.approx(2.718281828)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("disk", r"unknown shape 'disk' \(did you mean disc\?\); allowed: disc, square$"),
        ("SQUARES", r"\(did you mean square\?\)"),
        ("xyz", "unknown shape 'xyz'; allowed: disc, square$"),
        ("math:tau", "'math:tau' is a path; here a shape is given by its name"),
    ],
)
def test_unknown_names(shapes: Registry[Entry], name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shapes.find(name)


def test_paths_where_allowed(shapes: Registry[Entry]) -> None:
    assert shapes.load(shapes.find("math:tau", paths=True)) == pytest.approx(6.283185307)
    with pytest.raises(ValueError, match=r"or package.module:object"):
        shapes.find("math.tau", paths=True)
    with pytest.raises(ValueError, match="module math has no 'rho'"):
        shapes.find("math:rho", paths=True)
    with pytest.raises(ValueError, match=r"no module 'absent'.*PYTHONPATH"):
        shapes.find("absent.module:x", paths=True)


def test_a_module_s_own_missing_import_is_not_blamed_on_the_path(
    shapes: Registry[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_more.py").write_text("import absent_package\nx = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'absent_package'$"):
        shapes.find("needs_more:x", paths=True)


def test_register(shapes: Registry[Entry]) -> None:
    shapes.register("line", Entry("math:tau"))
    shapes.register("line", Entry("math:tau"))  # a module that is imported twice
    assert shapes.find("line").constructor == "math:tau"
    with pytest.raises(ValueError, match="there is a shape called 'line'"):
        shapes.register("line", Entry("math:pi"))
    with pytest.raises(ValueError, match="there is a shape called 'disc'"):
        shapes.register("disc", Entry("math:tau"))
    with pytest.raises(ValueError, match="cannot be called 'My-Line': names consist of"):
        shapes.register("My-Line", Entry("math:tau"))


@pytest.mark.usefixtures("package")
def test_installed_entry_points(shapes: Registry[Entry]) -> None:
    with pytest.warns(UserWarning, match="of made: '(disc|A)' is (no name|a name of structnets)"):
        assert set(shapes.names()) == {"disc", "square", "star", "ring"}
    assert shapes.find("star") == Entry("made_shapes:Star")
    assert shapes.find("ring") == Entry("made_shapes:Star", "hollow")
    assert shapes.find("disc").note == "round"
    assert shapes.load(shapes.find("ring")).__name__ == "Star"
    with pytest.raises(ValueError, match="there is a shape called 'star'"):
        shapes.register("star", Entry("math:tau"))


@pytest.mark.filterwarnings("ignore:structnets.shapes of made")
def test_two_packages_of_one_name(shapes: Registry[Entry], package: Path) -> None:
    announce(package, "other", star="other_shapes:Star")
    with pytest.raises(
        ValueError, match=r"two packages announce a shape 'star': made .* and other"
    ):
        shapes.find("star")
    assert shapes.find("ring").note == "hollow"


@pytest.mark.usefixtures("package")
def test_entry_is_demanded_where_a_plan_has_to_know_more() -> None:
    sets = Registry[Entry]("data set", {}, "structnets.none")
    assert sets.find("made_shapes:RING", paths=True).note == "hollow"
    with pytest.raises(ValueError, match="made_shapes:Star must be an entry"):
        sets.find("made_shapes:Star", paths=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.b:C", True), ("a:b_2", True), ("a.b", False), ("a:b.c", False), ("http://x", False)],
)
def test_paths_are_recognised(text: str, expected: bool) -> None:
    assert is_path(text) is expected


def test_what_strangers_name_is_refused_wherever_it_stands() -> None:
    spec = {"model": {"name": "cnn_b", "options": {"frames": ["pixel", "evil.frames:f"]}}}
    assert foreign_paths(spec) == ["evil.frames:f"]
    assert foreign_paths({"x:y": 1, "own": ["structnets.files:write"]}) == [
        "x:y",
        "structnets.files:write",
    ]
    with pytest.raises(ValueError, match=r"result.json names evil.frames:f.*--trust evil.frames:f"):
        refuse_foreign(spec, ["evil.frames:g", "evil"], "result.json")
    refuse_foreign(spec, ["evil.frames:f"], "result.json")
