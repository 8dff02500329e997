import copy
from typing import Any

import pytest

from structnets.specs.table import Table
from structnets.specs.target import load_table, load_targets
from structnets.specs.validation import checked
from tests.made_results import WORKFLOW
from tests.unit.made_table import TABLE


def changed(*path: Any, value: Any) -> dict[str, Any]:
    """Copy the table with one place changed."""
    content = copy.deepcopy(TABLE)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def test_committed_tables_are_valid_and_called_as_their_files():
    tables = load_targets(WORKFLOW / "targets").tables
    assert "figure6" in tables
    assert all(name == table.target for name, table in tables.items())


def test_thesis_values_of_figure6_by_hand():
    table = load_table(WORKFLOW / "targets" / "figure6.yaml")
    columns = [column.key for column in table.columns][:4]
    values = {
        "rfnn": [96.32, 97.67, 98.34, 99.06],
        "cnn_b": [92.3, 96.3, 97.84, 98.73],
        "scattering": [95.34, 97.7, 98.71, 98.96],
        "cnn_a": [92.81, 96.79, 97.48, 98.48],
    }
    for row, expected in values.items():
        assert [table.thesis_value(row, column) for column in columns] == expected
    assert table.thesis_note("scattering", "n1000")
    assert table.thesis_note("rfnn", "n300") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            changed("colour", value="red"),
            "colour: unknown key; allowed here: target, interpretations, kind",
        ),
        (changed("rows", 0, "labl", value="x"), "rows.0.labl: unknown key; allowed here: key"),
        (changed("rows", 0, "experiment", value=None), "needs either experiment or reported"),
        (changed("rows", 1, "source", value=None), "needs a source"),
        (changed("rows", 1, "key", value="net"), "row keys must be unique; repeated: net"),
        (changed("thesis", "other", value={}), "thesis: unknown row 'other'; allowed: net"),
        (changed("thesis", "net", "n3", value=1.0), "unknown column 'n3'; allowed: n100, n200"),
        (
            changed("floor", "small", 0, "rows", value=["quoted"]),
            "unknown row 'quoted'; allowed: net",
        ),
        (changed("floor", "large", value=[]), "'smoke', 'small' or 'paper'"),
        (changed("plot", value=None), "a figure needs one"),
        (
            changed("columns", 0, "metric", value="parameters"),
            "floor.smoke: unknown column 'n100'; allowed: n200",
        ),
    ],
)
def test_mistake_is_named_with_what_is_allowed(content: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=r"table0.yaml is not valid") as caught:
        checked(Table, content, "table0.yaml")
    assert message in str(caught.value)


def test_table_must_be_called_as_its_file(folder):
    file = folder / "targets" / "table0.yaml"
    file.rename(folder / "targets" / "table1.yaml")
    with pytest.raises(ValueError, match="must be 'table1'"):
        load_table(folder / "targets" / "table1.yaml")


def test_damaged_yaml_is_named(folder):
    file = folder / "targets" / "table0.yaml"
    file.write_text("rows: [")
    with pytest.raises(ValueError, match=r"table0\.yaml is not valid YAML"):
        load_table(file)


@pytest.mark.parametrize(
    ("better", "gap", "short"),
    [
        ("higher", -0.6, True),
        ("higher", 0.6, False),
        ("lower", 0.6, True),
        ("lower", -0.6, False),
        ("lower", 0.4, False),
        ("lower", None, False),
    ],
)
def test_an_error_above_the_thesis_falls_short(better: str, gap: float | None, short: bool):
    table = checked(Table, changed("better", value=better), "table")
    column = table.columns[0]
    assert table.falls_short(column, gap) is short
    other = column.model_copy(update={"better": {"higher": "lower", "lower": "higher"}[better]})
    assert table.falls_short(other, None if gap is None else -gap) is short


def test_a_count_falls_short_of_nothing():
    table = checked(Table, TABLE, "table")
    counted = table.columns[0].model_copy(update={"metric": "parameters"})
    assert not table.falls_short(counted, -5.0)


def test_committed_tables_of_errors_say_that_less_is_better():
    for name, table in load_targets(WORKFLOW / "targets").tables.items():
        for column in table.columns:
            error = "error" in table.metric_of(column.key) or "seconds" in table.metric_of(
                column.key
            )
            assert ((column.better or table.better) == "lower") >= error, name
