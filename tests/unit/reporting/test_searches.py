"""Searches: their ledger, the best trial and its interval, the map, and where they are shown."""

import csv

import pytest

from structnets import identity
from structnets.reporting import results
from structnets.reporting.claims import decide
from structnets.reporting.quantities import Measured
from structnets.reporting.report import write_report
from structnets.reporting.searches import Search, searches, shown_value
from structnets.reporting.sweep_lines import append_sweeps, read_sweeps, sweep_line
from structnets.specs.claim import Claim, Relation
from structnets.specs.sweep import load_sweep, resolve_sweep
from structnets.specs.target import load_targets
from structnets.specs.validation import load_yaml
from tests.made_results import WORKFLOW

TARGETS = WORKFLOW / "targets"
# Orders 1, 2, 3 with one scale and with two, as small has its points: (1, 1), (1, 2), (2, 1) …
REACHED = [80.0, 82.0, 90.0, 88.0, 91.0, 91.0]


@pytest.fixture(scope="module")
def sweep():
    return load_targets(TARGETS).sweeps["sweep_rfnn_basis"]


@pytest.fixture(scope="module")
def make(sweep):
    """Return a maker of a ledger line of a search of small, by what its trials reached."""

    def line(reached=REACHED, offset=0, **more):
        asked = resolve_sweep(sweep, "small", None, offset)
        trials = [
            {
                **{"epochs": 25, "accuracy": one, "parameters": 1000 + n, "step_s": 0.1},
                **{"stopped_early": False, **more.get("trial", {}).get(n, {})},
            }
            for n, one in enumerate(reached)
        ]
        return sweep_line(
            {
                **{**asked, "trials": trials, "held_out": 700},
                **{"data_digest": more.get("data", "d" * 64), "code_digest": "c" * 64},
                **{"hardware": {"class": "cpu"}, "versions": {}, "git": {"sha": "0123abcd"}},
            }
        )

    return line


def found_in(ledger):
    return list(searches(ledger, load_targets(TARGETS).sweeps, ["small", "paper"]))


def test_round_trip_and_replacement(make, tmp_path):
    append_sweeps(tmp_path, [make(), make(offset=1)])
    assert len(read_sweeps(tmp_path)) == 2
    newer = make([50.0] * 6)
    append_sweeps(tmp_path, [newer])
    lines = read_sweeps(tmp_path)
    assert len(lines) == 2
    assert lines[newer["sweep_id"]] == newer


def test_best_and_its_interval_by_hand(make, sweep):
    """Of equal ones the first; 637 of 700 are 91 %, Wilson's interval 88.7 to 92.9."""
    (said,) = Search(sweep, {0: make()}).said()
    assert said == (
        "Seed 0: the best is orders 3/3/3, scales 1, 91.0 % of 700 held-out images (95 % interval "
        "88.7 to 92.9; 2 of the 5 others reached its lower end)."
    )


def test_what_ran_longest_comes_first_and_what_failed_is_said(make, sweep):
    told = {0: {"accuracy": None, "epochs": 0}, 4: {"epochs": 10, "stopped_early": True}}
    search = Search(sweep, {0: make([80.0, 82.0, 90.0, 88.0, 99.0, 85.0], trial=told)})
    (said,) = search.said()
    assert "the best is orders 2/2/2, scales 1, 90.0 %" in said
    assert said.endswith("; 1 of 6 stopped early; 1 of 6 failed.")
    assert search.by_offset(scales="2") == {0: 88.0}
    assert search.by_offset(orders="1/1/1", scales="1") == {}


def test_map_of_two_options_has_a_cell_for_each_pair(make, sweep):
    search = Search(sweep, {0: make(), 1: make([82.0, *REACHED[1:]], offset=1)})
    assert search.matrix() == [
        ["scales \\ orders", "1/1/1", "2/2/2", "3/3/3"],
        ["1", "81.0 ± 1.4", "90.0 ± 0.0", "91.0 ± 0.0"],
        ["2", "82.0 ± 0.0", "88.0 ± 0.0", "91.0 ± 0.0"],
    ]


def test_map_of_more_options_has_a_line_for_each_value(sweep):
    line = {
        "points": [{"a": a, "b": b, "c": c} for a in (1, 2) for b in (1, 2) for c in (0.5, 1.0)],
        "trials": [{"epochs": 1, "accuracy": float(n)} for n in range(8)],
    }
    assert Search(sweep, {0: line}).matrix() == [
        ["option", "value", "best (%)"],
        *(["a", "1", "3.0"], ["a", "2", "7.0"], ["b", "1", "5.0"], ["b", "2", "7.0"]),
        *(["c", "0.5", "6.0"], ["c", "1", "7.0"]),
    ]
    assert shown_value([1.5, 1, 1.0]) == "1.5/1/1"


def test_search_of_another_question_or_of_other_data_does_not_count(make, tmp_path):
    other = {**make(), "asha": {"grace_epochs": 1, "reduction_factor": 2}}
    append_sweeps(tmp_path, [{**other, "sweep_id": identity.sweep_id(other)}])
    assert found_in(tmp_path) == []
    append_sweeps(tmp_path, [make(), make(offset=1, data="e" * 64), make(offset=2)])
    (found,) = found_in(tmp_path)
    assert list(found.lines) == [0, 2]


def test_results_say_how_it_is_reduced_and_that_it_is_stale(make, tmp_path):
    append_sweeps(tmp_path, [make(), make([n - 1 for n in REACHED], offset=1)])
    rows = results.rows(tmp_path, TARGETS)
    assert {row["target"] for row in rows} == {"sweep_rfnn_basis"}
    by_row = {row["row"]: row for row in rows}
    assert list(by_row) == [
        *("best", "orders=1/1/1", "orders=2/2/2", "orders=3/3/3", "scales=1", "scales=2"),
    ]
    best = by_row["best"]
    assert set(best) == set(results.KEYS)
    assert (best["mean"], best["n"], best["data"]) == (90.5, 2, "mnist-n1000")
    assert best["stale"], "the code digest is made up"
    assert not best["comparable"]
    page = results.markdown(tmp_path, TARGETS)
    assert "## Order and scale of the RFNN's basis" in page
    assert "| scales \\\\ orders | 1/1/1 | 2/2/2 | 3/3/3 |" in page
    assert "- Reduced: " in page
    assert "25 of 200 epochs" in page
    assert "6 settings in place of 96" in page


def test_report_draws_the_map_from_the_ledger_alone(make, tmp_path, sweep):
    append_sweeps(tmp_path / "ledger", [make()])
    (tmp_path / "targets").mkdir()
    content = (TARGETS / "sweep_rfnn_basis.yaml").read_text()
    (tmp_path / "targets" / "sweep_rfnn_basis.yaml").write_text(content)
    out = tmp_path / "report.html"
    write_report(out, tmp_path / "absent", tmp_path / "ledger", tmp_path / "targets")
    page = out.read_text()
    assert "the best is orders 3/3/3" in page
    assert "data:image/svg+xml" in page
    assert "Its picture is not in this results folder" not in page
    files = Search(sweep, {0: make()}).draw(tmp_path / "map")
    with files[-1].open(newline="") as file:
        assert max(float(row["best"]) for row in csv.DictReader(file)) == 91.0


def test_claim_about_a_search_is_decided_by_searches_of_three_seeds(make, tmp_path):
    addresses = [f"sweep_rfnn_basis/scales={n}" for n in (2, 1)]
    claim = Claim(
        id="c3.x",
        where="w",
        statement="S.",
        full=[Relation.model_validate({"of": addresses, "near": 0, "by": 1})],
    )
    lines = [make([90.0, 90.0 + n / 10, *[0.0] * 4], offset=n) for n in range(3)]
    append_sweeps(tmp_path, lines)
    measured = Measured(tmp_path, TARGETS, WORKFLOW / "experiments")
    assert decide(claim, 3, measured, False).verdict == "not run", "of the full protocol"
    found = decide(claim, 3, measured, True)
    assert (found.verdict, found.n) == ("supported", 3)
    assert found.difference == pytest.approx(0.1)
    assert found.run_ids == sorted(line["sweep_id"] for line in lines)
    with pytest.raises(ValueError, match=r"unknown choice 'scales=3' .did you mean scales="):
        measured.quantity("sweep_rfnn_basis/scales=3", True)


def test_committed_ledger_is_valid():
    lines = read_sweeps(WORKFLOW / "ledger").values()
    sweeps = load_targets(TARGETS).sweeps
    assert {line["name"] for line in lines} <= set(sweeps)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 7}, "sweep_id is .* its content gives"),
        ({"held_out": 0}, "not that of a sweep"),
        ({"held_out": True}, "not that of a sweep"),
        ({"trials": []}, "not that of a sweep"),
        ({"trials": [{}] * 6}, "not that of a sweep"),
        ({"points": None}, "not that of a sweep"),
        ({"more": 1}, "an object with the keys"),
    ],
)
def test_damaged_line_is_named(make, tmp_path, change, message):
    line = {**make(), **change}
    (tmp_path / "sweeps.jsonl").write_text(identity.canonical_json(line) + "\n")
    with pytest.raises(ValueError, match=rf"sweeps\.jsonl:1: .*{message}"):
        read_sweeps(tmp_path)


@pytest.mark.parametrize("accuracy", [float("nan"), float("inf"), -1, 101, "9", True])
def test_accuracy_that_is_none_is_refused(make, tmp_path, accuracy):
    line = make()
    line["trials"][0]["accuracy"] = accuracy
    (tmp_path / "sweeps.jsonl").write_text(identity.canonical_json(line) + "\n")
    with pytest.raises(ValueError, match=r"sweeps\.jsonl:1(:| is not valid JSON)"):
        read_sweeps(tmp_path)


def test_every_committed_sweep_says_what_it_searches():
    for path in sorted(TARGETS.glob("sweep_*.yaml")):
        sweep = load_sweep(load_yaml(path), str(path))
        for preset in sweep.presets:
            points = resolve_sweep(sweep, preset)["points"]
            assert Search(sweep, {0: {"points": points}}).axes
