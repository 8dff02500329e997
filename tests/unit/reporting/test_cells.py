import pytest

from structnets.reporting.cells import cells_of, local_lines
from structnets.reporting.formats import to_markdown
from structnets.reporting.ledger import ledger_line
from structnets.reporting.notes import different_versions
from structnets.reporting.page import to_html
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import cell_spec
from structnets.specs.table import Table
from tests.made_results import make_result, publish


@pytest.fixture
def line(table, experiments):
    """Return a maker of ledger lines of one cell."""

    def make(column, seed, accuracy, preset="small", **changes):
        spec = cell_spec(table, experiments, preset, "net", column, seed)
        return ledger_line(make_result(spec, accuracy, **changes))

    return make


def cell(cells, row, column):
    return next(c for c in cells if (c.row, c.column) == (row, column))


def test_mean_sd_and_gap_by_hand(table, experiments, line):
    lines = [line("n100", 0, 90.0), line("n100", 1, 91.0), line("n100", 7, 92.0)]
    found = cell(cells_of(table, experiments, "small", lines), "net", "n100")
    assert (found.mean, found.sd, found.n) == (91.0, 1.0, 3)
    assert (found.thesis, found.gap, found.status) == (91.0, 0.0, "measured")
    assert found.run_ids == sorted(x["run_id"] for x in lines)
    assert (found.data, found.hardware) == ("mnist-n100", "cpu")


def test_one_run_has_no_spread(table, experiments, line):
    found = cell(cells_of(table, experiments, "small", [line("n200", 0, 94.0)]), "net", "n200")
    assert (found.sd, found.n, found.gap) == (None, 1, -1.0)


def test_cells_of_several_versions_of_one_data_set_are_said_not_to_be_compared(
    table, experiments, line
):
    digests = ("1" * 64, "2" * 64)
    runs = [line(f"n{n}", 0, 90.0, data_digest=d) for n, d in zip((100, 200), digests, strict=True)]
    cells = cells_of(table, experiments, "small", runs)
    (said,) = different_versions(Rendering(table, "small", cells))
    assert "2 versions of mnist" in said
    assert all(f"data {digest[:12]}" in said for digest in digests)
    alike = cells_of(table, experiments, "small", [line("n100", 0, 90.0), line("n200", 0, 91.0)])
    assert different_versions(Rendering(table, "small", alike)) == []


def test_runs_of_different_data_are_not_pooled(table, experiments, line, caplog):
    old, new = (line("n100", seed, 90.0, data_digest=str(seed) * 64) for seed in (1, 2))
    cells = cells_of(table, experiments, "small", [old, new])
    found = cell(cells, "net", "n100")
    assert (found.mean, found.n, found.run_ids, found.status) == (None, 0, [], "refused")
    said = "runs of 2 versions of the data are not pooled (data 111111111111: cnn_b-mnist-n100-s1-"
    assert said in found.refusal
    assert "remove the results or ledger lines of the others" in found.refusal
    assert "table0, row net, column n100: runs of 2 versions" in caplog.text
    rendering = Rendering(table, "small", cells)
    for text in (to_markdown(rendering), to_html(rendering)):
        assert "Net at 100: runs of 2 versions" in text
        assert "refused" in text
        assert "90.00" not in text
    alone = cells_of(table, experiments, "small", [old])
    assert cell(alone, "net", "n100").mean == 90.0


def test_runs_of_equal_science_fill_a_cell_whichever_preset_trained_them(table, experiments, line):
    """A seed counts once, as the preset's own run where there are both."""
    lines = [line("n100", 0, 90.0), line("n100", 1, 91.0, preset="paper"), line("n100", 1, 80.0)]
    found = cell(cells_of(table, experiments, "paper", lines), "net", "n100")
    assert (found.mean, found.n, found.comparable, found.differs) == (90.5, 2, True, [])
    assert cell(cells_of(table, experiments, "small", lines), "net", "n100").mean == 85.0


def test_reduced_run_has_no_gap_and_says_how_it_differs(table, experiments, line):
    """Ten of 200 images would be reduced; here the preset small has fewer epochs."""
    presets = {**experiments["net.yaml"].presets, "small": {"recipe": {"epochs": 2}}}
    reduced = {"net.yaml": experiments["net.yaml"].model_copy(update={"presets": presets})}
    spec = cell_spec(table, reduced, "small", "net", "n100", 0)
    found = cell(
        cells_of(table, reduced, "small", [ledger_line(make_result(spec, 90.0))]), "net", "n100"
    )
    assert (found.mean, found.thesis, found.gap, found.chance) == (90.0, 91.0, None, 10.0)
    assert (found.comparable, found.differs) == (False, ["2 of 9 epochs"])


def test_without_a_full_protocol_nothing_is_comparable(table, experiments, line):
    experiment = experiments["net.yaml"]
    presets = {key: value for key, value in experiment.presets.items() if key != "paper"}
    own = {"net.yaml": experiment.model_copy(update={"presets": presets})}
    found = cell(cells_of(table, own, "small", [line("n100", 0, 90.0)]), "net", "n100")
    assert (found.mean, found.comparable, found.differs, found.gap) == (90.0, False, [], None)


def test_presets_of_other_science_are_never_mixed(table, experiments, line):
    lines = [line("n100", 0, 50.0, preset="smoke")]
    assert all(c.n == 0 for c in cells_of(table, experiments, "small", lines))
    found = cell(cells_of(table, experiments, "smoke", lines), "net", "n100")
    assert (found.mean, found.gap, found.data) == (50.0, None, "digits-n50")


def test_columns_that_a_preset_makes_equal_count_once(table, experiments, line):
    cells = cells_of(table, experiments, "smoke", [line("n100", 0, 50.0, preset="smoke")])
    assert cell(cells, "net", "n200").status == "not run"


@pytest.mark.parametrize(("part", "field"), [("columns", "presets"), ("rows", "runs_in")])
def test_a_part_shows_no_run_of_a_preset_it_is_not_of(table, experiments, line, part, field):
    content = table.model_dump()
    content[part][0][field] = ["smoke", "paper"]
    content["floor"]["small"] = []
    cells = cells_of(Table.model_validate(content), experiments, "small", [line("n100", 0, 90.0)])
    assert cell(cells, "net", "n100").status == "not run"


def test_hardware_classes_are_listed(table, experiments, line):
    gpu = {"class": "gpu", "name": "x", "threads": 1, "world_size": 1}
    lines = [line("n100", 0, 90.0), line("n100", 1, 91.0, hardware=gpu)]
    found = cell(cells_of(table, experiments, "small", lines), "net", "n100")
    assert found.hardware == "cpu+gpu"


def test_status_of_cells_without_runs(table, experiments):
    cells = cells_of(table, experiments, "small", [])
    quoted = cell(cells, "quoted", "n100")
    assert (quoted.status, quoted.thesis, quoted.mean) == ("reported", 80.0, None)
    assert cell(cells, "quoted", "n200").status == "not run"
    assert (cell(cells, "net", "n100").status, len(cells)) == ("not run", 4)


@pytest.mark.parametrize(("digest", "stale"), [("c" * 64, False), ("e" * 64, True)])
def test_changed_code_marks_a_cell(table, experiments, line, digest, stale):
    one = line("n100", 0, 90.0)
    cells = cells_of(table, experiments, "small", [one], lambda run: run["code_digest"] != digest)
    assert cell(cells, "net", "n100").stale is stale


def test_counts_of_models_need_no_run(counting_table, experiments):
    for preset, value in (("small", 0.440512), ("smoke", 0.440512)):
        found = cell(cells_of(counting_table, experiments, preset, []), "net", "weights")
        assert (found.mean, found.n, found.status) == (value, 0, "counted")
        assert (found.sd, found.gap, found.data, found.run_ids) == (None, None, None, [])
        assert found.comparable
    quoted = cell(cells_of(counting_table, experiments, "small", []), "quoted", "weights")
    assert (quoted.status, quoted.thesis) == ("reported", 0.17)


def test_lacking_metric_is_named(table, experiments, line):
    one = {**line("n100", 0, 90.0), "metrics": {"loss": 1.0}}
    with pytest.raises(ValueError, match="no metric 'accuracy'; it has: loss"):
        cells_of(table, experiments, "small", [one])


def test_local_results_are_read_as_lines(tmp_path, table, experiments):
    specs = [cell_spec(table, experiments, "small", "net", "n100", seed) for seed in (0, 1)]
    publish(tmp_path, specs)
    assert sorted(x["spec"]["seed"] for x in local_lines(tmp_path).values()) == [0, 1]
    assert local_lines(tmp_path / "nowhere") == {}
