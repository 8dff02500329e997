import csv
import io
import json
from html.parser import HTMLParser

import pytest

from structnets.reporting.cells import cells_of
from structnets.reporting.formats import spread, to_csv, to_json, to_markdown
from structnets.reporting.ledger import ledger_line
from structnets.reporting.page import to_html
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import cell_spec
from tests.made_results import make_result


@pytest.fixture
def rendering(table, experiments):
    """Two runs at n = 100, a whole point short of the thesis, and one of changed code."""

    def make(preset="small"):
        specs = [cell_spec(table, experiments, preset, "net", "n100", seed) for seed in (0, 1)]
        lines = [ledger_line(make_result(s, 89.9 + 0.2 * s["seed"])) for s in specs]
        cells = cells_of(table, experiments, preset, lines, lambda line: line is lines[0])
        return Rendering(table, preset, cells)

    return make


class Balance(HTMLParser):
    """Checks that tags are closed in order, and that nothing is loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        assert not {"src", "integrity"} & dict(attrs).keys()
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_csv_has_a_line_per_cell(rendering):
    rows = list(csv.DictReader(io.StringIO(to_csv(rendering()))))
    assert len(rows) == 4
    first = rows[0]
    assert (first["row_label"], first["column_label"], first["n"]) == ("Net", "100", "2")
    assert float(first["mean"]) == pytest.approx(90.0)
    assert len(first["run_ids"].split()) == 2
    assert (rows[1]["mean"], rows[1]["status"]) == ("", "not run")


def test_counts_have_no_spread_and_digits_of_their_own(counting_table, experiments):
    cells = cells_of(counting_table, experiments, "small", [])
    text = to_markdown(Rendering(counting_table, "small", cells))
    assert "**0.441**<br>thesis 0.450 |" in text
    assert "*0.170*" in text
    page = to_html(Rendering(counting_table, "small", cells))
    assert '<span class="mean" title="">0.441</span>' in page
    assert "nothing measured yet" in page


def test_json_holds_the_cells_of_the_contract(rendering):
    content = json.loads(to_json(rendering()))
    assert set(content["cells"][0]) == {
        *("target", "row", "column", "preset", "data", "mean", "sd", "n", "thesis", "gap"),
        *("hardware", "run_ids", "stale", "status", "pooled"),
        *("comparable", "differs", "chance", "untrained", "uncommitted"),
    }


def test_markdown_cells_by_hand(rendering):
    text = to_markdown(rendering())
    assert (
        "| Net | **90.00 ± 0.14 (2)†**<br>thesis 91.00, −1.00 | not run<br>thesis 95.00 |" in text
    )
    assert "| *Quoted (reported)* | *80.00* | not run |" in text
    assert "Quoted: reported; a book." in text
    assert "Thesis value of Net at 200: hidden." in text
    assert "preset small · data mnist-n100 · n = 2 runs a cell · hardware cpu" in text
    assert "† The code" in text


def test_smoke_is_never_shown_beside_the_thesis(rendering):
    for text in (to_markdown(rendering("smoke")), to_html(rendering("smoke"))):
        assert "thesis 91" not in text
        assert "not comparable with the thesis" in text


def test_html_is_self_contained_and_escaped(rendering):
    page = to_html(rendering())
    checker = Balance()
    checker.feed(page)
    assert checker.open == []
    assert "A &lt;small&gt; table" in page
    assert "http:" not in page


def test_html_marks_what_stands_out(rendering):
    page = to_html(rendering())
    assert '<span class="short">thesis 91.00, −1.00</span>' in page
    assert '<td class="reported">80.00</td>' in page
    assert page.count("../runs/") == 2


def test_nothing_measured_is_said(table, experiments):
    empty = Rendering(table, "small", cells_of(table, experiments, "small", []))
    assert empty.provenance() == "preset small · nothing measured yet"
    assert "Runs" not in to_html(empty)


def test_parts_of_one_have_three_digits_and_no_unit(table, experiments):
    bare = table.model_copy(update={"unit": "", "digits": 3})
    specs = [cell_spec(table, experiments, "small", "net", "n100", seed) for seed in (0, 1)]
    lines = [ledger_line(make_result(s, 90.994)) for s in specs]
    rendering = Rendering(bare, "small", cells_of(bare, experiments, "small", lines))
    text, page = to_markdown(rendering), to_html(rendering)
    assert "**90.994 ± 0.000 (2)**<br>thesis 91.000, −0.006" in text
    assert "*80.000*" in text
    assert "Unit" not in text
    assert 'class="short">thesis 91.000, −0.006' in page
    assert "(number of runs); below" in page


@pytest.fixture
def reduced(table, experiments):
    """One run of fewer epochs than the full protocol's, which is at chance."""
    presets = {**experiments["net.yaml"].presets, "small": {"recipe": {"epochs": 2}}}
    other = {"net.yaml": experiments["net.yaml"].model_copy(update={"presets": presets})}
    spec = cell_spec(table, other, "small", "net", "n100", 0)
    line = ledger_line(make_result(spec, metrics={"accuracy": 11.0, "loss": 2.3025}))
    return Rendering(table, "small", cells_of(table, other, "small", [line]))


def test_no_thesis_value_stands_beside_a_reduced_run(reduced):
    text, page = to_markdown(reduced), to_html(reduced)
    assert r"| Model \ Images | 100 | 100, thesis: full protocol | 200 |" in text
    assert "| **11.00 (1)**<br>did not train<br>chance 10.00 | *91.00* | not run" in text
    assert "no number of the thesis, are Net at 100: 2 of 9 epochs." in text
    assert "<th>100, thesis: full protocol</th>" in page
    assert '11.00 (1)</span><span class="thesis">did not train</span><br>' in page
    assert '<td class="reported">91.00</td>' in page
    assert "<td></td><td" in page, "a quoted value stands among the thesis values alone"


def test_smoke_says_that_it_ran_unless_its_numbers_are_results(rendering):
    made = rendering("smoke")
    number = spread(next(cell for cell in made.cells if cell.n))
    told = Rendering(made.table.model_copy(update={"result_in_smoke": True}), "smoke", made.cells)
    for write in (to_markdown, to_html):
        assert "ran (" in write(made)
        assert number not in write(made)
        assert number in write(told)
    assert "proves the wiring" not in told.provenance()


def test_runs_of_uncommitted_changes_are_named(table, experiments):
    spec = cell_spec(table, experiments, "small", "net", "n100", 0)
    line = ledger_line(make_result(spec, git={"sha": "0123abcd", "dirty": True}))
    text = to_markdown(Rendering(table, "small", cells_of(table, experiments, "small", [line])))
    assert f"- Measured with changes that were not committed: {line['run_id']}." in text
