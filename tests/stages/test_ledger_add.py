"""Adding local results to the ledger."""

import logging

import pytest

from pipelines import ledger_add
from structnets.files import write_json
from structnets.identity import run_id
from structnets.reporting.ledger import append, ledger_line, read_ledger
from tests.made_results import floor, make_result, publish


@pytest.fixture
def add(tmp_path):
    """Return a runner of the command."""

    def run(*run_ids):
        words = ["--results", str(tmp_path / "results"), "--ledger", str(tmp_path / "ledger")]
        return ledger_add.main([*words, *run_ids])

    return run


def test_all_but_smoke_are_added(tmp_path, add):
    small = [r.spec for r in floor("small")]
    publish(tmp_path / "results", [*small, *(r.spec for r in floor("smoke"))])
    assert add() == 0
    assert set(read_ledger(tmp_path / "ledger")) == {run_id(spec) for spec in small}


def test_named_runs_only(tmp_path, add):
    specs = [r.spec for r in floor("small")]
    publish(tmp_path / "results", specs)
    assert add(run_id(specs[1])) == 0
    assert list(read_ledger(tmp_path / "ledger")) == [run_id(specs[1])]


@pytest.mark.parametrize("measured_again", [False, True])
def test_confirmation_stays_until_the_run_is_measured_again(tmp_path, add, measured_again):
    spec = floor("small")[0].spec
    publish(tmp_path / "results", [spec])
    later = {"code_digest": "0" * 64, "confirmed": {"commit": "a" * 40, "epochs": 2}}
    later |= {"first_losses": [2.0], "weights_digest": "e" * 64}
    line = {**ledger_line(make_result(spec)), **later}
    append(tmp_path / "ledger", [{**line, "train_s": 1e9} if measured_again else line])
    assert add() == 0
    assert ("confirmed" in read_ledger(tmp_path / "ledger")[run_id(spec)]) != measured_again


def test_smoke_is_refused_by_name(tmp_path, add, capsys):
    spec = floor("smoke")[0].spec
    publish(tmp_path / "results", [spec])
    assert add(run_id(spec)) == 1
    assert f"stay out: {run_id(spec)}" in capsys.readouterr().err
    assert not (tmp_path / "ledger").exists()


def test_unknown_run_is_named(add, capsys):
    assert add("net-mnist-n300-s0-00000000") == 1
    assert "no result.json below" in capsys.readouterr().err


def test_uncommitted_changes_are_warned_of_and_written_down(tmp_path, add, caplog):
    spec = floor("small")[0].spec
    result = make_result(spec, git={"sha": "abc", "dirty": True})
    write_json(tmp_path / "results" / "runs" / run_id(spec) / "result.json", result)
    with caplog.at_level(logging.WARNING):
        assert add() == 0
    assert "uncommitted changes" in caplog.text
    assert read_ledger(tmp_path / "ledger")[run_id(spec)]["commit"] == "abc-dirty"
