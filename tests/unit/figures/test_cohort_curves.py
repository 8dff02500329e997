import numpy as np
import pytest

from structnets.figures import cohort_curves
from structnets.figures.cohort_curves import draw_cohort_curves
from structnets.figures.style import COLOURS

LABELS = np.arange(40) % 2


@pytest.fixture
def drawn(monkeypatch):
    """Return the lines of the legend, once something is drawn."""
    found = []
    monkeypatch.setattr(cohort_curves, "legend_beside", lambda axes, handles: found.extend(handles))
    return found


def test_more_rows_than_colours_are_drawn_in_looks_of_their_own(tmp_path, drawn):
    chances = np.random.default_rng(0).random((len(COLOURS) + 3, 40))
    rows = {f"net {number}": chance for number, chance in enumerate(chances)}
    draw_cohort_curves(LABELS, rows, tmp_path / "curves", "patient")
    assert [line.get_label() for line in drawn] == list(rows)
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == len(rows)


def test_names_with_a_dollar_are_no_formulas(tmp_path, drawn):
    rows = {r"$\lambda_$": np.linspace(0, 1, 40)}
    draw_cohort_curves(LABELS, rows, tmp_path / "curves", "$^$")
    assert (tmp_path / "curves.svg").is_file()
    assert len(drawn) == 1
