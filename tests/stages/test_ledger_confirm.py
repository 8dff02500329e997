"""Confirming lines of the ledger whose code has changed."""

import pytest

from pipelines import ledger_confirm
from structnets.identity import run_id
from structnets.reporting.ledger import append, ledger_line, read_ledger
from structnets.training import provenance
from tests.made_results import floor, make_result, publish

STATE = {"sha": "a" * 40, "dirty": False}


@pytest.fixture
def stale(tmp_path, monkeypatch):
    """Two published runs whose lines have an old code digest; how they compare is made up."""
    specs = [request.spec for request in floor("small")][:2]
    publish(tmp_path / "results", specs)
    lines = [ledger_line(make_result(spec)) for spec in specs]
    append(tmp_path / "ledger", [{**line, "code_digest": "0" * 64} for line in lines])
    monkeypatch.setattr(provenance, "git_state", lambda: STATE)
    return [run_id(spec) for spec in specs]


@pytest.fixture
def command(tmp_path):
    def run(*run_ids):
        roots = (f"--{root}={tmp_path / root}" for root in ("results", "prepared", "ledger"))
        return ledger_confirm.main([*roots, *run_ids])

    return run


def test_only_what_agrees_is_confirmed(stale, command, tmp_path, monkeypatch):
    good, bad = stale
    monkeypatch.setattr(
        ledger_confirm, "confirm", lambda folder, *_: [] if folder.name == good else ["worse"]
    )
    assert command() == 0
    lines = read_ledger(tmp_path / "ledger")
    assert lines[good]["confirmed"] == {"commit": "a" * 40, "epochs": 2}
    assert lines[good]["code_digest"] == provenance.code_digest(lines[good]["spec"])
    assert lines[bad]["code_digest"] == "0" * 64
    assert "confirmed" not in lines[bad]


def test_run_that_is_not_here_is_named(stale, command, capsys):
    assert command("cnn_b-mnist-full-s9-00000000") == 1
    assert "cnn_b-mnist-full-s9-00000000" in capsys.readouterr().err


def test_uncommitted_changes_are_refused(stale, command, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "git_state", lambda: {**STATE, "dirty": True})
    assert command() == 1
    assert "uncommitted changes" in capsys.readouterr().err
