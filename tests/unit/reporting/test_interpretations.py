"""Readings of the thesis: shown below each target, collected on one page."""

import pytest

from structnets.reporting.cells import Cell
from structnets.reporting.formats import to_markdown
from structnets.reporting.interpretations import page, section
from structnets.reporting.markdown import escaped
from structnets.reporting.page import to_html
from structnets.reporting.rendering import Rendering
from structnets.specs.interpretation import Interpretation
from structnets.specs.table import Table
from structnets.specs.target import Targets, load_targets
from structnets.specs.validation import checked
from tests.made_results import REPOSITORY, WORKFLOW

READING = {
    "subject": "The <rate>",
    "text": "Nothing is said of it.",
    "done": "A rate of 0.1 | constant.",
    "why": "It was the best of three.",
    "kind": "silent",
}


def with_readings(table, *readings):
    return Table.model_validate({**table.model_dump(), "interpretations": list(readings)})


def test_page_of_all_readings_is_that_of_the_targets():
    committed = (REPOSITORY / "docs" / "interpretations.md").read_text()
    expected = page(load_targets(WORKFLOW / "targets"))
    assert committed == expected, "run `python -m structnets.reporting.interpretations`"


def test_readings_stand_below_their_table(table):
    read = with_readings(table, READING)
    rendering = Rendering(read, "small", made_cells(read))
    line = (
        "- **The &lt;rate&gt;** (the text is silent). The thesis: Nothing is said of it. "
        "Here: A rate of 0.1 \\| constant. Why: It was the best of three."
    )
    assert line in to_markdown(rendering)
    assert "<b>The &lt;rate&gt;</b> (the text is silent)" in to_html(rendering)


def made_cells(table):
    return [
        Cell(table.target, row.key, column.key, "small", *[None] * 3, 0, *[None] * 3, [], False,
             "not run")
        for row in table.rows for column in table.columns
    ]  # fmt: skip


def test_a_shared_reading_stands_once(table):
    other = {**READING, "subject": "The batch"}
    first = with_readings(table, READING).model_copy(update={"target": "table2"})
    second = with_readings(table, READING, other).model_copy(update={"target": "table10"})
    text = page(Targets({"table10": second, "table2": first}, {}, {}, {}))
    assert text.count("Nothing is said of it.") == 2  # of the rate once, of the batch once
    assert text.index("(`table2`)") < text.index("(`table10`)")
    assert "- As elsewhere: The &lt;rate&gt; (see table2)." in text


def test_nothing_to_read_is_not_headed(table):
    assert section([]) == ""
    assert "Readings" not in to_html(Rendering(table, "small", made_cells(table)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "odd"}, "kind: Input should be 'silent', 'garbled', 'contradiction', 'code'"),
        ({"who": "me"}, "who: unknown key; allowed here: subject, text, done, why, kind"),
    ],
)
def test_a_wrong_reading_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        checked(Interpretation, {**READING, **change}, "a reading")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("<i>&", "&lt;i&gt;&amp;"),
        ("a\n b", "a b"),
        ("*x* [y](z)", r"\*x\* \[y\](z)"),
    ],
)
def test_text_is_shown_as_it_is(text, shown):
    assert escaped(text) == shown
