"""What results, ledgers and names say is shown and never obeyed, or refused before it is used."""

import dataclasses
import json
from html.parser import HTMLParser

import pytest

from structnets.files import read_json, write_json
from structnets.reporting.cells import cells_of, local_lines
from structnets.reporting.findings import Finding
from structnets.reporting.formats import to_json, to_markdown
from structnets.reporting.ledger import ledger_line, ledger_path, read_ledger
from structnets.reporting.page import to_html
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import cell_spec
from structnets.specs.analysis import Analysis
from structnets.specs.table import Table
from tests.made_results import make_result, publish

SCRIPT = "<script>document.title='taken'</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror="document.title=\'taken\'">',
    "a|b`c[d](javascript:alert(1))*e*\n# f",
    "</title></style></code></td>" + SCRIPT,
    "{{ 7 * 7 }}{% raw %}&lt;",
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        assert "javascript:" not in (dict(attrs).get("href") or "")


def tags_of(page):
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


@pytest.fixture
def hostile(table, experiments):
    """A rendering all of whose text is hostile."""

    def make(text):
        content = table.model_dump()
        content.update(title=text, caption=text, row_label=text, column_label=text, unit=text)
        content["rows"][0]["label"] = content["columns"][0]["label"] = text
        content["rows"][1]["source"] = text
        changed = Table.model_validate(content)
        line = ledger_line(make_result(cell_spec(table, experiments, "small", "net", "n100", 0)))
        cells = cells_of(changed, experiments, "small", [line])
        cells[0] = dataclasses.replace(cells[0], data=text, hardware=text, run_ids=[text])
        return Rendering(changed, "small", cells)

    return make


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_shows_it(hostile, text):
    plain, page = tags_of(to_html(hostile("plain"))), to_html(hostile(text))
    found = tags_of(page)
    assert (found.seen, found.attributes) == (plain.seen, plain.attributes)
    assert not found.seen & {"script", "img"}


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_it(hostile, text):
    def rows(markdown):
        lines = [line.replace(r"\|", "") for line in markdown.splitlines()]
        return [line.count("|") for line in lines if line.startswith("| ")]

    plain, markdown = to_markdown(hostile("plain")), to_markdown(hostile(text))
    assert tags_of(markdown).seen == tags_of(plain).seen
    assert rows(markdown) == rows(plain)


def test_findings_show_it():
    analysis = Analysis.model_construct(
        target="x", title=SCRIPT, caption=SCRIPT, reported=["*"], thesis={}, interpretations=[]
    )
    hardware = {"class": SCRIPT}
    line = {"preset": "small", "data": [SCRIPT], "hardware": hardware, "commit": SCRIPT}
    line |= {"models": [{"run_id": "a`" + SCRIPT}], "values": {SCRIPT: {"value": 1.0, "n": 2}}}
    assert not tags_of(Finding(analysis, {0: line}).markdown()).seen


@pytest.fixture
def result(tmp_path, table, experiments):
    """A published result.json, and its folder of results."""
    publish(tmp_path, [cell_spec(table, experiments, "small", "net", "n100", 0)])
    (path,) = tmp_path.glob("runs/*/result.json")
    return path, tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run_id": SCRIPT}, r"has the run_id .<script>.*its spec gives"),
        ({"hardware": {"class": SCRIPT}}, "has hardware .*expected an object with a class"),
        ({"hardware": "cpu"}, "has hardware 'cpu'"),
        ({"metrics": {"accuracy": "90"}}, "has metrics"),
        ({"metrics": {SCRIPT: 90.0}}, "has metrics"),
        ({"metrics": []}, "has metrics"),
        ({"spec": {}}, "has a spec that is none"),
        ({"spec": {"model": {"name": []}}}, "has a spec that is none"),
        ({"spec_digest": "0" * 64}, "states another digest"),
        ({"data_digest": SCRIPT}, "has data_digest"),
        ({"wall_s": "long"}, "has wall_s 'long'"),
    ],
)
def test_a_result_is_checked_before_it_is_used(result, change, message):
    path, results = result
    write_json(path, {**read_json(path), **change})
    with pytest.raises(ValueError, match=rf"result\.json {message}.*train the run anew"):
        local_lines(results)


@pytest.mark.parametrize("text", ["[]", "{}", "{", "NaN", "[" * 100_000, '"' + "x" * 1000, "\xff"])
def test_a_damaged_result_is_named(result, text):
    path, results = result
    path.write_text(text, encoding="latin1")
    with pytest.raises(ValueError, match=r"result\.json .*train the run anew") as caught:
        local_lines(results)
    assert len(str(caught.value)) < 600


def test_a_result_in_a_strangers_folder_is_refused(result):
    path, results = result
    path.parent.rename(path.parent.with_name("other"))
    with pytest.raises(ValueError, match="not of the one its folder is called after"):
        local_lines(results)


def test_what_is_no_number_is_null_and_never_a_cell(tmp_path, table, experiments):
    spec = cell_spec(table, experiments, "small", "net", "n100", 0)
    path = tmp_path / "runs" / make_result(spec)["run_id"] / "result.json"
    write_json(path, make_result(spec, float("nan"), first_losses=[float("inf"), 1.0]))
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["first_losses"] == [None, 1.0]
    with pytest.raises(ValueError, match=r"the accuracy of run .* was not a number"):
        cells_of(table, experiments, "small", local_lines(tmp_path).values())


def test_a_table_writes_no_nan(hostile):
    rendering = hostile("plain")
    cells = [dataclasses.replace(rendering.cells[0], mean=float("nan")), *rendering.cells[1:]]
    text = to_json(dataclasses.replace(rendering, cells=cells))
    assert json.loads(text, parse_constant=pytest.fail)["cells"][0]["mean"] is None


@pytest.mark.parametrize("text", ["{", "[]", "NaN", "[" * 100_000, '{"a": 1}', "\x00"])
def test_a_ledger_line_that_is_none_says_its_line(tmp_path, table, experiments, text):
    line = ledger_line(make_result(cell_spec(table, experiments, "small", "net", "n100", 0)))
    path = ledger_path(tmp_path, 3)
    path.write_text(json.dumps(line) + "\n" + text + "\n")
    with pytest.raises(ValueError, match=rf"{path.name}:2"):
        read_ledger(tmp_path)
