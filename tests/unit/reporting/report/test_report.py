"""The report is one file that tells what was measured and needs nothing else."""

import re
import shutil

import pytest
import yaml

from structnets import cli
from structnets.cli.commands import COMMANDS
from structnets.cli.parsing import parser_of
from structnets.reporting.claims import Verdict
from structnets.reporting.report import write_report, writing
from tests.made_results import WORKFLOW

HOSTILE = '<script>alert("x")</script> & more'


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of three targets: a curve of cells, an analysis and a drawing."""
    root = tmp_path_factory.mktemp("report")
    for name in ("figure6", "inversion_error", "figure16"):
        content = yaml.safe_load((WORKFLOW / "targets" / f"{name}.yaml").read_text())
        content["caption"] = f"{HOSTILE} {content['caption']}"
        (root / "targets").mkdir(exist_ok=True)
        (root / "targets" / f"{name}.yaml").write_text(yaml.safe_dump(content))
    shutil.copytree(WORKFLOW / "experiments", root / "experiments")
    counted = write_report(
        root / "report.html", root / "results", WORKFLOW / "ledger", root / "targets"
    )
    return counted, (root / "report.html").read_text()


def test_every_target_has_a_section_that_says_how_to_make_it_again(report):
    counted, page = report
    assert counted["targets"] == 3
    assert counted["measured"] == 2
    for name in ("figure6", "inversion_error", "figure16"):
        (section,) = re.findall(rf'(?s)<section id="{name}">.*?</section>', page)
        assert f"snakemake --profile profiles/local {name}" in section
    (call,) = re.findall(r"structnets (reproduce figure6 .*)", page)
    words = call.split()
    parser_of("reproduce", COMMANDS["reproduce"]).parse_args(words[1:])
    assert words[2:4] == ["rfnn", "n300"]


def test_numbers_are_those_of_the_ledger(report):
    """RFNN with 300 pictures, as RESULTS.md has it."""
    _, page = report
    results = (WORKFLOW.parent / "RESULTS.md").read_text()
    (row,) = re.findall(r"^\| RFNN \| \*\*(.*?)†?\*\*", results, re.MULTILINE)
    assert f">{row}" in page
    (error,) = re.findall(r"irevnet\.images\.float32\.mean \| \*\*(.*?)\*\*", results)
    assert f"<b>{error}</b>" in page


def test_page_needs_nothing_else(report):
    _, page = report
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert loaded
    assert all(address.startswith(("data:image/", "#")) for address in loaded)
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert page.count("data:image/") >= 2


def test_words_of_a_target_are_escaped(report):
    _, page = report
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; more") == 3


def test_links_lead_somewhere(report):
    _, page = report
    asked = set(re.findall(r'href="#([^"]+)"', page))
    assert asked <= set(re.findall(r'id="([^"]+)"', page))


def test_page_begins_with_what_became_of_the_claims(tmp_path, monkeypatch):
    about = ("c", 3, HOSTILE, "section 3", "thesis")
    found = [
        Verdict(*about, "undecided", why="1 paired seed; 3 are needed"),
        Verdict(*about, "supported", difference=2.5, interval=[1.0, 4.0], n=3),
        Verdict(*about, "not run"),
    ]
    monkeypatch.setattr(writing, "verdicts", lambda *_: found)
    monkeypatch.setattr(writing, "chapters", lambda *_: [])
    out = tmp_path / "report.html"
    write_report(out, tmp_path, tmp_path, tmp_path, tmp_path)
    page = out.read_text()
    assert "1 supported, 0 contradicted, 1 undecided, 1 not run." in page
    assert "+1 to +4" in page
    assert page.index("supported</b></td>") < page.index("1 paired seed; 3 are needed")
    assert HOSTILE not in page


def test_command_writes_where_it_is_told(tmp_path, monkeypatch, capsys):
    given = []

    def written(*words):
        given.append(words)
        return {"targets": 1}

    monkeypatch.setattr("structnets.reporting.report.write_report", written)
    out = tmp_path / "page.html"
    assert cli.main(["report", "--results", str(tmp_path), "--out", str(out), "--json"]) == 0
    assert given[0][:2] == (out, tmp_path)
    assert given[0][-1].name == "claims"
    assert '"targets": 1' in capsys.readouterr().out


def test_demo_is_shown_as_it_was_made_and_by_its_own_call(tmp_path):
    """No ledger has its runs, and no other preset makes it."""
    for name in ("demo_digits", "demo_outlines"):
        (tmp_path / "targets").mkdir(exist_ok=True)
        shutil.copy(WORKFLOW / "targets" / f"{name}.yaml", tmp_path / "targets")
    shutil.copytree(WORKFLOW / "experiments", tmp_path / "experiments")
    (tmp_path / "results/figures").mkdir(parents=True)
    (tmp_path / "results/figures/demo_digits.svg").write_text("<svg>made by the demo</svg>")
    page = tmp_path / "report.html"
    write_report(page, tmp_path / "results", WORKFLOW / "ledger", tmp_path / "targets")
    digits, outlines = re.findall(r'(?s)<section id="demo.*?</section>', page.read_text())
    assert "data:image/svg+xml" in digits
    assert "Its picture is not in this results folder" in outlines
    for name, section in (("demo_digits", digits), ("demo_outlines", outlines)):
        assert f"<pre>snakemake --profile profiles/local {name}\n</pre>" in section


def test_drawing_whose_packages_are_not_there_is_said_to_be_missing(tmp_path, monkeypatch):
    def draw(name, stem, *, title):
        raise ModuleNotFoundError("No module named 'nilearn'", name="nilearn")

    monkeypatch.setattr("structnets.reporting.report.pictures.draw", draw)
    (tmp_path / "targets").mkdir()
    shutil.copy(WORKFLOW / "targets" / "demo_brain.yaml", tmp_path / "targets")
    page = tmp_path / "report.html"
    write_report(page, tmp_path / "results", WORKFLOW / "ledger", tmp_path / "targets")
    assert "Its picture is not in this results folder" in page.read_text()
