"""Confirming lines of the ledger whose code has changed."""

from dataclasses import replace

import pytest

from pipelines import ledger_confirm
from structnets.identity import run_id
from structnets.reporting.freshness import is_stale
from structnets.reporting.ledger import append, ledger_line, read_ledger
from structnets.training import provenance
from structnets.training.code_digest import code_digest
from structnets.training.confirmation import Confirmation
from tests.made_results import floor, make_result, publish

STATE = {"sha": "a" * 40, "dirty": False}
FOUND = Confirmation([], 2, True, 0.0, "not compared")


@pytest.fixture
def stale(tmp_path, monkeypatch):
    """Three lines with an old code digest: two runs are published, one line has its losses."""
    specs = [request.spec for request in floor("small")][:3]
    publish(tmp_path / "results", specs[:2])
    losses = [{}, {}, {"first_losses": [2.0, 1.0], "weights_digest": "e" * 64}]
    lines = [{**ledger_line(make_result(s)), **more} for s, more in zip(specs, losses, strict=True)]
    append(tmp_path / "ledger", [{**line, "code_digest": "0" * 64} for line in lines])
    monkeypatch.setattr(provenance, "git_state", lambda: STATE)
    return [run_id(spec) for spec in specs]


@pytest.fixture
def command(tmp_path):
    def run(*words):
        roots = (f"--{root}={tmp_path / root}" for root in ("results", "prepared", "ledger"))
        return ledger_confirm.main([*roots, *words])

    return run


def compare(monkeypatch, good):
    """Make up how runs compare: all but `good` got worse; returns what was asked."""
    asked = {}

    def confirm(line, prepared, published, **words):
        asked[line["run_id"]] = (published, words)
        found = FOUND if line["run_id"] in good else Confirmation(["worse"], 2, False, 0.0, "x")
        told = {"first_losses": [3.0]} if published else {}
        return replace(found, line={**told, **line})

    monkeypatch.setattr(ledger_confirm, "confirm", confirm)
    return asked


def test_only_what_agrees_is_confirmed(stale, command, tmp_path, monkeypatch):
    good, bad, alone = stale
    asked = compare(monkeypatch, {good, alone})
    assert command("--epochs=3", "--tolerance=1e-6", "--trust=own.nets:Net") == 0
    given = {"epochs": 3, "tolerance": 1e-6, "trusted": ["own.nets:Net"]}
    assert asked[alone] == (None, given)
    assert asked[good][0] == tmp_path / "results" / "runs" / good
    lines = read_ledger(tmp_path / "ledger")
    said = {"epochs": 2, "losses": "equal to the bit", "score": "not compared"}
    for run in (good, alone):
        assert lines[run]["confirmed"] == {"commit": "a" * 40, **said}
        assert lines[run]["code_digest"] == code_digest(lines[run]["spec"])
        assert not is_stale(lines[run])
    assert lines[good]["first_losses"] == [3.0], "the next confirmation needs no files"
    assert lines[alone]["first_losses"] == [2.0, 1.0]
    assert lines[bad]["code_digest"] == "0" * 64
    assert is_stale(lines[bad])
    assert "confirmed" not in lines[bad]


def test_a_line_measured_anew_meanwhile_stays(stale, tmp_path, monkeypatch):
    ledger, alone = tmp_path / "ledger", stale[2]

    def confirm(line, *_, **__):
        append(ledger, [{**line, "weights_digest": "f" * 64}])
        return replace(FOUND, line=line)

    monkeypatch.setattr(ledger_confirm, "confirm", confirm)
    outcome = ledger_confirm.ledger_confirm(None, tmp_path, ledger, [alone])
    assert "has changed meanwhile" in outcome[alone][0]
    assert read_ledger(ledger)[alone]["weights_digest"] == "f" * 64


def test_no_results_are_needed(stale, tmp_path, monkeypatch):
    asked = compare(monkeypatch, stale)
    roots = (f"--{root}={tmp_path / root}" for root in ("prepared", "ledger"))
    assert ledger_confirm.main(list(roots)) == 0
    assert list(asked) == stale[2:]


def test_run_that_cannot_be_compared_is_named(stale, command, tmp_path, capsys):
    assert command("cnn_b-mnist-full-s9-00000000") == 1
    assert "cnn_b-mnist-full-s9-00000000" in capsys.readouterr().err
    roots = (f"--{root}={tmp_path / root}" for root in ("prepared", "ledger"))
    assert ledger_confirm.main([*roots, stale[0]]) == 1
    assert f"without first losses and not below --results: {stale[0]}" in capsys.readouterr().err


def test_data_that_are_not_here_are_said(stale, tmp_path):
    roots = (tmp_path / root for root in ("results", "prepared", "ledger"))
    ((run, (said,)),) = ledger_confirm.ledger_confirm(*roots, stale[2:]).items()
    assert run == stale[2]
    assert "mnist" in said


def test_uncommitted_changes_are_refused(stale, command, monkeypatch, capsys):
    monkeypatch.setattr(provenance, "git_state", lambda: {**STATE, "dirty": True})
    assert command() == 1
    assert "uncommitted changes" in capsys.readouterr().err
