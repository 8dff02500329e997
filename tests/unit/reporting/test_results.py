import pytest

from structnets.reporting import results
from structnets.reporting.freshness import STALE
from structnets.reporting.ledger import append, ledger_line, read_ledger
from structnets.reporting.requests import cell_spec
from structnets.training.code_digest import code_digest
from tests.made_results import REPOSITORY, WORKFLOW, make_result


@pytest.fixture
def measured(folder, table, experiments):
    """Ledger with two runs of one cell, 91.0 on average as in the thesis, and one short."""
    for column, accuracies in {"n100": (90.5, 91.5), "n200": (90.0,)}.items():
        for seed, accuracy in enumerate(accuracies):
            spec = cell_spec(table, experiments, "small", "net", column, seed)
            result = make_result(spec, accuracy, code_digest=code_digest(spec))
            append(folder / "ledger", [ledger_line(result)])
    return folder


def test_results_file_agrees_with_the_ledger():
    expected = results.markdown(WORKFLOW / "ledger", WORKFLOW / "targets")
    found = (REPOSITORY / "RESULTS.md").read_text()
    assert found == expected, "run `structnets results --write RESULTS.md`"


def test_rows_by_hand(measured):
    first, second = results.rows(measured / "ledger", measured / "targets")
    assert set(first) == set(results.KEYS)
    assert (first["row"], first["column"], first["mean"], first["n"]) == ("net", "n100", 91.0, 2)
    assert first["sd"] == pytest.approx(0.5**0.5)
    assert (second["column"], second["sd"], second["thesis"]) == ("n200", None, 95.0)


def test_nothing_measured_gives_no_rows_and_a_text_that_says_so(folder):
    assert results.rows(folder / "ledger", folder / "targets") == []
    text = results.markdown(folder / "ledger", folder / "targets")
    assert "nothing measured yet" in text
    assert "| Net | not run<br>thesis 91.00 | not run<br>thesis 95.00 |" in text


def test_what_fell_short_stays_visible(measured):
    text = results.markdown(measured / "ledger", measured / "targets")
    assert "Short of the thesis by more than half a point: net at n200 (−5.00)." in text
    assert "**91.00 ± 0.71 (2)**<br>thesis 91.00, +0.00" in text
    assert text.count("`cnn_b-mnist-n") == 3
    assert STALE not in text


@pytest.mark.parametrize("old", ["c" * 64, f"2:{'c' * 64}", f"3:{'c' * 64}"])
def test_cells_of_other_code_are_marked(old, measured):
    """Of an earlier edition's digest it cannot be told; it is never taken for today's."""
    lines = read_ledger(measured / "ledger")
    run = next(run for run in lines if "-s1-" in run)
    append(measured / "ledger", [{**lines[run], "code_digest": old}])
    first, second = results.rows(measured / "ledger", measured / "targets")
    assert (first["stale"], second["stale"]) == (True, False)
    text = results.markdown(measured / "ledger", measured / "targets")
    assert "**91.00 ± 0.71 (2)†**" in text
    assert "† The code of a run in this cell has changed since it was measured, or its" in text
