"""A real browser shows pages full of hostile text, and runs nothing of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from structnets.cohorts.listing import Listing
from structnets.cohorts.quality_page import write_page
from structnets.cohorts.subject_files import SubjectFiles
from structnets.reporting.cells import Cell
from structnets.reporting.formats import Rendering, to_markdown
from structnets.reporting.page import to_html
from structnets.specs.table import Table
from tests.unit.made_table import TABLE

pytestmark = pytest.mark.slow
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
TAKEN = "document.documentElement.dataset.taken='yes';document.title='taken'"
HOSTILE = (
    f"<script>{TAKEN}</script>",
    f'"><img src=x onerror="{TAKEN}"><svg onload="{TAKEN}">',
    f"</title></style></code></td></table><script>{TAKEN}</script>",
    f'[x](javascript:{TAKEN}) <iframe srcdoc="<script>parent.{TAKEN}</script>">',
    f"' onmouseover='{TAKEN}' autofocus onfocus='{TAKEN}",
)


@pytest.fixture
def dom(tmp_path: Path):
    """Return what a browser makes of a page, after its scripts have run."""
    if BROWSER is None:
        pytest.skip("no browser: chromium is not installed")

    def show(page: Path) -> str:
        words = [BROWSER, *_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
        done = subprocess.run(
            [*words, "--virtual-time-budget=2000", page.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "</html>" in done.stdout, done.stderr[-2000:]
        return done.stdout

    return show


def _rendering(text: str) -> Rendering:
    content = Table.model_validate(TABLE).model_dump()
    content.update(title=text, caption=text, row_label=text, column_label=text, unit=text)
    for part in ("rows", "columns"):
        for entry in content[part]:
            entry["label"] = text
    content["rows"][1]["source"] = text
    table = Table.model_validate(content)
    cells = [
        Cell(
            *(table.target, row.key, column.key, "small", text, 90.0, 1.0, 2, 91.0, -1.0),
            *(text, [text, "other"], True, "measured"),
        )
        for row in table.rows
        for column in table.columns
    ]
    return Rendering(table, "small", cells)


def test_the_test_would_see_a_script(dom, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(f"<html><title>a</title>{HOSTILE[0]}</html>")
    assert "<title>taken</title>" in dom(page)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_runs_nothing(dom, tmp_path: Path, text: str) -> None:
    page = tmp_path / "table.html"
    page.write_text(to_html(_rendering(text)))
    shown = dom(page)
    assert "data-taken" not in shown
    assert "<title>taken" not in shown
    assert not any(f"<{tag}" in shown for tag in ("script", "svg", "iframe", "img"))
    assert shown.count("<tr") == page.read_text().count("<tr")
    assert "<script" not in to_markdown(_rendering(text))


def test_a_quality_page_runs_nothing(dom, tmp_path: Path) -> None:
    page = tmp_path / "quality.html"
    subjects = [
        SubjectFiles(text, {"quality": {}, "problems": [text], "failure": text}, tmp_path)
        for text in HOSTILE
    ]
    listing = SimpleNamespace(taken=[(text, text) for text in HOSTILE], left_out=[])
    write_page(page, HOSTILE[0], _listing(listing), subjects, excluded=True)
    shown = dom(page)
    assert "data-taken" not in shown
    assert not any(f"<{tag}" in shown for tag in ("script", "svg", "iframe"))


def _listing(made: SimpleNamespace) -> Listing:
    return made  # type: ignore[return-value]
