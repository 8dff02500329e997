"""Imports go down: from floor to floor, from room to room, and never round in a circle."""

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.import_graph import LIBRARY, PIPELINES, ROOT, Arrow, arrows, imported

# The rooms of the library, top first: each imports only from those after it.
ROOMS = [
    "__main__",
    "cli",
    "reporting",
    "figures",
    "analysis",
    "prediction",
    "training",
    "cohorts",
    "pictures",
    "forms",
    "metrics",
    "models",
    "nn",
    "data",
    "imaging",
    "bases",
    "specs",
    "content",
    "identity",
    "files",
    "pages",
    "entries",
    "installation",
    "processors",
    "foreign",
]

# What still goes up. These lists only shrink: an arrow that is gone has to be struck out.
UPWARD: set[Arrow] = set()
CLOSING: set[Arrow] = set()


def imported_roots(source: str) -> set[str]:
    """Top-level packages a module imports."""
    return {name.partition(".")[0] for name in imported(source)}


def offenders(files: list[Path], forbidden: set[str]) -> dict[str, set[str]]:
    found = {str(f.relative_to(ROOT)): imported_roots(f.read_text()) & forbidden for f in files}
    return {name: roots for name, roots in found.items() if roots}


def room_of(module: str) -> str | None:
    """The room a module of the library stands in; none for the package itself.

    The tables of entries beside a room are plain data, which any room may read.
    """
    parts = module.split(".")[1:]
    return "entries" if "entries" in parts else next(iter(parts), None)


def going_up(found: set[Arrow]) -> set[Arrow]:
    """Arrows from a room to one above it."""
    height = {room: -place for place, room in enumerate(ROOMS)}
    rooms = {arrow: (room_of(arrow[0]), room_of(arrow[1])) for arrow in found}
    return {
        arrow for arrow, (low, high) in rooms.items() if low and high and height[high] > height[low]
    }


def circle(found: set[Arrow]) -> list[Arrow]:
    """The arrows of one circle of imports, or none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for importing, other in found:
        sorter.add(importing, other)
    try:
        sorter.prepare()
    except CycleError as error:
        return [(a, b) for b, a in pairwise(error.args[1])]
    return []


@pytest.fixture(scope="module")
def ours() -> set[Arrow]:
    return arrows(LIBRARY + PIPELINES)


@pytest.fixture(scope="module")
def librarys(ours) -> set[Arrow]:
    return {arrow for arrow in ours if all(name.startswith("structnets") for name in arrow)}


def test_library_knows_neither_stages_nor_their_tools():
    forbidden = {"ray", "mlflow", "snakemake", "pipelines", "workflow"}
    assert LIBRARY
    assert offenders(LIBRARY, forbidden) == {}


def test_stages_do_not_know_the_workflow():
    assert PIPELINES
    assert offenders(PIPELINES, {"snakemake", "workflow"}) == {}


def test_tracking_alone_talks_to_mlflow():
    others = [file for file in PIPELINES if "tracking" not in (file.stem, file.parent.name)]
    assert offenders(others, {"mlflow"}) == {}


def test_every_room_has_its_place(librarys):
    rooms = {room_of(name) for arrow in librarys for name in arrow} - {None}
    assert rooms <= set(ROOMS), "a room without a place in the order of rooms"


def test_rooms_import_from_lower_ones(librarys):
    found = going_up(librarys)
    assert found - UPWARD == set(), "goes up: move what is shared to the lower of the two rooms"
    assert UPWARD - found == set(), "goes up no longer: strike it out of UPWARD"


def test_no_circle_of_imports(ours):
    assert circle(ours - CLOSING) == []


def test_known_circles_are_still_there(ours):
    closing = {arrow for arrow in CLOSING & ours if arrow in circle((ours - CLOSING) | {arrow})}
    assert CLOSING - closing == set(), "closes no circle any more: strike it out of CLOSING"


@pytest.mark.parametrize(
    "source",
    ["import ray.train", "from ray import tune", "def f():\n    import ray", "import os, ray as r"],
)
def test_scan_sees_every_form_of_import(source):
    assert "ray" in imported_roots(source)


def test_scan_resolves_relative_imports():
    assert "structnets.nn.pose" in imported("from . import pose", "structnets.nn")
    assert "structnets.bases.frames" in imported("from ..bases import frames", "structnets.nn")


def test_arrows_up_and_circles_are_seen():
    down, up = (
        ("structnets.nn.pose", "structnets.bases.frames"),
        ("structnets.nn.x", "structnets.models.y"),
    )
    assert going_up({down, up}) == {up}
    assert going_up({("structnets.nn.x", "structnets.nn.y")}) == set()
    entry = ("structnets.specs.spec", "structnets.models.entries.chapter3")
    assert going_up({entry, entry[::-1]}) == {entry[::-1]}
    around = {("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")}
    assert set(circle(around)) == around - {("d", "a")}
    assert circle(around - {("c", "a")}) == []
