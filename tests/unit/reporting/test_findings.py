"""Numbers of analyses: their ledger, and what is said of them."""

import pytest

from structnets import identity
from structnets.files import write_json
from structnets.reporting import results
from structnets.reporting.analysis_lines import (
    append_findings,
    finding_line,
    local_findings,
    read_findings,
)
from structnets.reporting.findings import Finding, findings
from structnets.reporting.freshness import STALE
from structnets.specs.analysis import load_models_experiments, resolve_analysis
from structnets.specs.target import load_targets
from tests.made_results import WORKFLOW


@pytest.fixture(scope="module")
def result():
    """Content of the JSON file that the inversion error of small could have given."""
    analyses = load_targets(WORKFLOW / "targets").analyses
    experiments = load_models_experiments(WORKFLOW / "experiments", analyses.values())
    resolved = resolve_analysis(analyses["inversion_error"], experiments, "small")
    return {
        **{key: value for key, value in resolved.items() if key not in ("title", "caption")},
        "values": {
            "irevnet.noise.float32.mean": {"value": 4e-6, "n": 10_000},
            "irevnet.noise.float32.max": {"value": 9e-6, "n": 10_000},
        },
        "data": ["cifar10_jpeg-n5000"],
        "data_digests": ["d" * 64],
        "hardware": {"class": "cpu"},
        "versions": {"torch": "2.14.1"},
        "git": {"sha": "0123abcd", "dirty": True},
        "wall_s": 3.0,
    }


def asked_otherwise(result):
    """The same, as if it had been asked with another option."""
    other = {**result, "options": {**result["options"], "made": 1}}
    return {**other, "analysis_id": identity.analysis_id(other)}


def found_in(ledger):
    analyses = load_targets(WORKFLOW / "targets").analyses
    return list(findings(ledger, analyses, WORKFLOW / "experiments", ["small"]))


def test_round_trip(result, tmp_path):
    write_json(tmp_path / "results" / "analyses" / "inversion_error.json", result)
    lines = local_findings(tmp_path / "results")
    append_findings(tmp_path, lines.values())
    assert read_findings(tmp_path) == lines
    assert lines[result["analysis_id"]]["commit"] == "0123abcd-dirty"


def test_newer_measurement_replaces_the_line_of_its_target_and_preset(result, tmp_path):
    for measured in (asked_otherwise(result), result):
        append_findings(tmp_path, [finding_line(measured)])
    assert list(read_findings(tmp_path)) == [result["analysis_id"]]


def test_values_stand_beside_the_thesis(result, tmp_path):
    append_findings(tmp_path, [finding_line(result)])
    second, first = results.rows(tmp_path, WORKFLOW / "targets")
    assert set(first) == set(results.KEYS)
    assert (first["target"], first["row"]) == ("inversion_error", "irevnet.noise.float32.mean")
    assert (first["mean"], first["n"], first["thesis"]) == (4e-6, 10_000, 5e-6)
    assert second["thesis"] is None
    (text,) = [finding.markdown() for finding in found_in(tmp_path)]
    assert "| irevnet.noise.float32.mean | **4e-06** | 10000 | 5e-06 (the net for" in text


def test_numbers_in_names_are_in_order(result):
    values = {f"net.depth{depth}.svm": {"value": 1.0, "n": 1} for depth in (10, 2, 1)}
    analysis = load_targets(WORKFLOW / "targets").analyses["figure21"]
    shown = Finding(analysis, {0: {**result, "values": values}}).values()
    assert [value.name for value in shown] == [f"net.depth{depth}.svm" for depth in (1, 2, 10)]


def test_line_of_another_question_does_not_count(result, tmp_path):
    append_findings(tmp_path, [finding_line(asked_otherwise(result))])
    assert found_in(tmp_path) == []


def looked_at(result, offset, value):
    """The line of the same analysis of networks of other seeds."""
    analyses = load_targets(WORKFLOW / "targets").analyses
    experiments = load_models_experiments(WORKFLOW / "experiments", analyses.values())
    shifted = analyses["inversion_error"].shifted(offset)
    resolved = resolve_analysis(shifted, experiments, "small")
    asked = {key: resolved[key] for key in ("analysis_id", "models")}
    values = {"irevnet.noise.float32.mean": {"value": value, "n": 10_000}}
    return finding_line({**result, **asked, "values": values})


def test_trainings_of_the_networks_are_kept_apart_and_shown_together(result, tmp_path):
    for offset, value in enumerate((2e-6, 4e-6, 9e-6)):
        append_findings(tmp_path, [looked_at(result, offset, value)])
    (found,) = found_in(tmp_path)
    assert found.by_offset("irevnet.noise.float32.mean") == {0: 2e-6, 1: 4e-6, 2: 9e-6}
    (value,) = found.values()
    assert (value.mean, value.sd) == (pytest.approx(5e-6), pytest.approx(1.3**0.5 * 10**-5.5))
    assert len(found.run_ids) == 3
    assert "**5e-06 ± 3.6e-06**" in found.markdown()
    assert "over 3 trainings" in found.markdown()


def timed(repeat, value, name="one"):
    """A line of times of steps, which look at no network, measured for the n-th time."""
    analyses = load_targets(WORKFLOW / "targets").analyses
    asked = resolve_analysis(analyses["runtime_frames"], {}, "small", repeat)
    measured = {
        "values": {"image.training": {"value": value, "n": 5}},
        **{"data": [], "data_digests": [], "hardware": {"class": "cpu", "name": name}},
        **{"versions": {}, "git": {"sha": "0123abcd", "dirty": False}, "wall_s": 3.0},
    }
    return finding_line({**asked, **measured})


def test_repeats_of_a_measurement_without_networks_are_kept_apart_and_shown_together(tmp_path):
    lines = [timed(0, 1.0), timed(1, 1.1), timed(2, 1.2), timed(3, 9.0, "other")]
    assert [line.get("repeat") for line in lines] == [None, 1, 2, 3]
    for line in lines:
        append_findings(tmp_path, [line])
    assert len(read_findings(tmp_path)) == 4
    (found,) = found_in(tmp_path)
    # What was timed on another machine is not pooled.
    assert found.by_offset("image.training") == {0: 1.0, 1: 1.1, 2: 1.2}
    assert "over 3 repeats of the measurement" in found.markdown()
    append_findings(tmp_path, [timed(1, 1.3)])
    (found,) = found_in(tmp_path)
    assert found.by_offset("image.training")[1] == 1.3


@pytest.mark.parametrize("repeat", [0, -1, "1", True, 1.0])
def test_repeat_that_is_none_is_refused(tmp_path, repeat):
    line = {**timed(1, 1.0), "repeat": repeat}
    (tmp_path / "analyses.jsonl").write_text(identity.canonical_json(line) + "\n")
    with pytest.raises(ValueError, match=r"jsonl:1: "):
        read_findings(tmp_path)


def test_trainings_on_other_data_are_not_pooled(result, tmp_path):
    other = {**looked_at(result, 1, 4e-6), "data_digests": ["e" * 64]}
    append_findings(tmp_path, [looked_at(result, 0, 2e-6), other])
    (found,) = found_in(tmp_path)
    assert list(found.lines) == [0]


def test_stale_runs_are_named(result, tmp_path):
    append_findings(tmp_path, [finding_line(result)])
    (fresh,) = found_in(tmp_path)
    assert {row["stale"] for row in fresh.rows()} == {None}, "its own code is not digested"
    assert STALE not in fresh.markdown()
    run = result["models"][0]["run_id"]
    analyses = load_targets(WORKFLOW / "targets").analyses
    folder = WORKFLOW / "experiments"
    (stale,) = findings(tmp_path, analyses, folder, ["small"], {run, "another"}.__contains__)
    assert {row["stale"] for row in stale.rows()} == {True}
    assert f"- † The code of `{run}` has changed" in stale.markdown()


def test_committed_ledger_is_valid():
    assert read_findings(WORKFLOW / "ledger")


def test_line_that_is_not_what_its_id_says_is_refused(result, tmp_path):
    line = {**finding_line(asked_otherwise(result)), "analysis_id": result["analysis_id"]}
    (tmp_path / "analyses.jsonl").write_text(identity.canonical_json(line) + "\n")
    with pytest.raises(ValueError, match=r"jsonl:1: analysis_id is .* its content gives"):
        read_findings(tmp_path)


def test_damaged_line_is_named(result, tmp_path):
    (tmp_path / "analyses.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match=r"analyses\.jsonl:1: an object with the keys"):
        read_findings(tmp_path)
    with pytest.raises(ValueError, match="lacks wall_s"):
        finding_line({key: value for key, value in result.items() if key != "wall_s"})
