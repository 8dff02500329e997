import csv

from structnets.reporting.cells import cells_of
from structnets.reporting.ledger import ledger_line
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import cell_spec
from structnets.reporting.writing import write_rendering
from tests.made_results import make_result


def write(table, experiments, preset, results):
    lines = [
        ledger_line(make_result(cell_spec(table, experiments, preset, "net", "n100", seed)))
        for seed in (0, 1)
    ]
    cells = cells_of(table, experiments, preset, lines)
    return write_rendering(Rendering(table, preset, cells), results)


def points(path):
    with path.open(newline="") as file:
        return [(row["row"], row["mean"], row["thesis"]) for row in csv.DictReader(file)]


def test_same_cells_give_the_same_bytes(tmp_path, table, experiments):
    first = write(table, experiments, "small", tmp_path / "a")
    second = write(table, experiments, "small", tmp_path / "b")
    assert list(first) == [
        *(f"tables/table0.{end}" for end in ("csv", "json", "md", "html")),
        *(f"figures/table0.{end}" for end in ("svg", "png", "csv")),
    ]
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes(), name


def test_figure_draws_thesis_beside_measured(tmp_path, table, experiments):
    files = write(table, experiments, "small", tmp_path)
    assert points(files["figures/table0.csv"]) == [
        ("net", "90.0", "91.0"),
        ("net", "", "95.0"),
        ("quoted", "", "80.0"),
    ]


def test_smoke_figure_has_measured_points_only(tmp_path, table, experiments):
    files = write(table, experiments, "smoke", tmp_path)
    assert points(files["figures/table0.csv"]) == [("net", "90.0", "")]
