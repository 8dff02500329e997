from types import SimpleNamespace

import pytest

from structnets.reporting.intervals import wilson
from structnets.reporting.picture_results import Measured, PictureResults, measured
from structnets.reporting.study_findings import shown


def test_the_interval_of_a_mean_is_students():
    found = measured([1.0, 2.0, 3.0])  # 4.3027 / sqrt(3) to each side
    assert (found.mean, found.n) == (2.0, 3)
    assert (found.low, found.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)


@pytest.mark.parametrize(("values", "why"), [([70.0], "one seed"), ([70.0] * 3, "all alike")])
def test_no_interval_is_made_of_nothing(values, why):
    found = measured(values)
    assert found == Measured(70.0, None, None, len(values))
    assert why in shown(found)


def test_a_rate_of_few_is_uncertain_also_where_all_are_right():
    assert wilson(8, 10) == pytest.approx((49.0, 94.3), abs=0.05)
    assert wilson(10, 10) == pytest.approx((72.2, 100.0), abs=0.05)
    assert wilson(0, 10) == pytest.approx((0.0, 27.8), abs=0.05)


def test_a_tested_name_may_hold_a_line_separator(tmp_path):
    names = ["a.png", "b\u2028.png", "c.png"]
    (tmp_path / "test_names.txt").write_text("".join(f"{name}\n" for name in names))
    results = SimpleNamespace(prepared=tmp_path)
    assert PictureResults.tested_names.func(results) == names
