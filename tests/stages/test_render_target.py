"""Rendering as a stage: files from ledger and local results, and the log of it in MLflow."""

import json
import logging

import pytest

from pipelines import render_target
from structnets.reporting.freshness import is_stale, todays_digest
from structnets.reporting.ledger import append, ledger_line
from tests.made_results import WORKFLOW, floor, make_result, publish


@pytest.fixture
def logged(monkeypatch):
    """Take what would be logged to MLflow."""
    calls = []
    monkeypatch.setattr(
        "pipelines.tracking.log_target", lambda *given, **named: calls.append((given, named))
    )
    return calls


@pytest.fixture
def render(tmp_path):
    """Return a runner of the command on the committed table."""

    def run(preset="small", targets=WORKFLOW / "targets"):
        words = ["--targets", targets, "--target", "figure6", "--preset", preset]
        words += ["--results", tmp_path / "results"]
        words += ["--scratch", tmp_path / "scratch", "--ledger", tmp_path / "ledger"]
        return render_target.main([str(word) for word in words])

    return run


def cells(tmp_path):
    content = json.loads((tmp_path / "results" / "tables" / "figure6.json").read_text())
    return {(c["row"], c["column"]): c for c in content["cells"]}


def test_ledger_and_local_results_are_merged_and_local_wins(tmp_path, render, logged):
    first, second, third = (r.spec for r in floor("small")[:3])
    append(tmp_path / "ledger", [ledger_line(make_result(s, 10.0)) for s in (first, second)])
    publish(tmp_path / "results", [second, third], 95.0)
    assert render() == 0
    found = cells(tmp_path)["rfnn", "n300"]
    assert (found["n"], found["mean"]) == (3, pytest.approx((10.0 + 95.1 + 95.2) / 3))
    assert found["stale"] is True  # made code digests are no one's


def test_everything_written_is_logged_under_names_of_its_own(tmp_path, render, logged):
    publish(tmp_path / "results", [r.spec for r in floor("smoke")])
    assert render("smoke") == 0
    [((uri, results, target), named)] = logged
    assert (uri, results, target) == (None, tmp_path / "results", "figure6")
    written = {p for p in results.rglob("figure6.*") if p.is_file()}
    assert set(named["files"].values()) == written
    assert len(named["files"]) == 7
    assert not any("/" in name for name in named["files"])
    assert len(named["run_ids"]) == 3
    assert named["preset"] == "smoke"


def test_nothing_measured_still_renders(tmp_path, render, logged):
    assert render() == 0
    assert cells(tmp_path)["rfnn", "n300"]["status"] == "not run"
    assert cells(tmp_path)["cnn_a", "n300"]["status"] == "reported"


def test_rendering_survives_tracking(tmp_path, render, monkeypatch, caplog):
    def refuse(*_, **__):
        raise RuntimeError("no such server")

    monkeypatch.setattr("pipelines.tracking.log_target", refuse)
    with caplog.at_level(logging.WARNING):
        assert render() == 0
    assert "made but not logged to MLflow: no such server" in caplog.text


def test_code_of_a_model_that_is_gone_counts_as_changed():
    spec = floor("small")[0].spec
    gone = {**spec, "model": {"name": "gone", "options": {}}}
    lines = [ledger_line(make_result(s)) for s in (spec, gone)]
    assert [len(todays_digest(line)) for line in lines] == [66, 0]
    assert is_stale(lines[1])


def test_damaged_result_is_named(tmp_path, render, logged, capsys):
    spec = floor("small")[0].spec
    publish(tmp_path / "results", [spec])
    [file] = (tmp_path / "results").glob("runs/*/result.json")
    file.write_text("{")
    assert render() == 1
    assert f"render_target: {file} is not valid JSON" in capsys.readouterr().err


def test_invalid_table_is_named(tmp_path, render, logged, capsys):
    table = tmp_path / "targets" / "figure6.yaml"
    table.parent.mkdir()
    table.write_text("target: figure6\nkind: table\n")
    assert render(targets=table.parent) == 1
    assert "figure6.yaml is not valid" in capsys.readouterr().err
