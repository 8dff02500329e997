"""What is asked for on a command line."""

import re

import pytest
import yaml

from structnets.reporting.asked import check_asked, check_named_rules
from structnets.reporting.plan import make_plan
from structnets.specs.configuration import load_configuration
from tests.unit.made_table import TABLE

RULES = ("table0", "all", "demo", "train", "prepare_mnist")


@pytest.fixture
def check(folder):
    """Return a checker of names in the plan of the made table."""

    def run(*names, rules=RULES, **changes):
        places = {key: str(folder / key) for key in ("targets", "experiments")}
        ledger = str(folder / "ledger")
        content = {"preset": "small", "ledger_root": ledger, **places, **changes}
        configuration = load_configuration(content)
        check_asked(names, rules, make_plan(configuration), configuration)

    return run


def test_targets_rules_and_files_pass(check):
    check()
    check("table0", "all", "prepare_mnist", "results/runs/x/result.json", "./tables/table0.csv")
    check("table0", rows="net", columns="n100")
    check("table0", rows="Net", columns="100")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tabel0", "unknown target 'tabel0' (did you mean table0?); targets: all, table0"),
        ("TABLE0", "did you mean table0"),
        ("prepare_minst", "did you mean prepare_mnist"),
        ("xyz", "unknown target 'xyz'; targets: all, table0"),
        ("table0.csv", "unknown target 'table0.csv'"),
    ],
)
def test_another_name_is_refused(check, name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check("table0", name)


def test_rows_without_a_cell_are_refused(check, folder):
    row = {**TABLE["rows"][0], "key": "other"}
    floor = {"small": [{"rows": "all", "columns": "all", "seeds": [0]}]}
    more = {**TABLE, "target": "table1", "rows": [row], "thesis": {}, "floor": floor}
    more["plot"] = {**TABLE["plot"], "thesis_rows": []}
    (folder / "targets" / "table1.yaml").write_text(yaml.safe_dump(more))
    check("table1", rows="other", rules=(*RULES, "table1"))
    message = "rows=other: table0 has no such row to run in the preset small; its rows: net"
    with pytest.raises(ValueError, match=re.escape(message)):
        check("table0", rows="other")


def test_options_that_name_rules_refuse_other_names():
    check_named_rules("--until", ["train", "results/x/manifest.json"], RULES)
    with pytest.raises(ValueError, match=re.escape("--until names no rule 'trein' (did you mean")):
        check_named_rules("--until", ["train", "trein"], RULES)
