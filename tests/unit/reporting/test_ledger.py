import json

import pytest

from structnets.identity import run_id
from structnets.reporting.ledger import append, ledger_line, read_ledger
from tests.made_results import WORKFLOW, floor, make_result


@pytest.fixture
def lines():
    return [ledger_line(make_result(r.spec)) for r in floor("small")[:3]]


def test_append_then_read_gives_the_lines_sorted(tmp_path, lines):
    append(tmp_path, reversed(lines))
    text = (tmp_path / "chapter3.jsonl").read_text()
    order = [json.loads(line)["run_id"] for line in text.splitlines()]
    assert order == sorted(line["run_id"] for line in lines)
    assert read_ledger(tmp_path) == {line["run_id"]: line for line in lines}


def test_append_replaces_and_is_idempotent(tmp_path, lines):
    append(tmp_path, lines)
    assert append(tmp_path, lines) == []
    newer = {**lines[0], "metrics": {"accuracy": 99.0}}
    assert append(tmp_path, [newer]) == [tmp_path / "chapter3.jsonl"]
    assert len(read_ledger(tmp_path)) == 3
    assert read_ledger(tmp_path)[newer["run_id"]]["metrics"] == {"accuracy": 99.0}


def test_line_of_a_dirty_tree_says_so():
    result = make_result(floor("small")[0].spec, git={"sha": "abc", "dirty": True})
    assert ledger_line(result)["commit"] == "abc-dirty"


def test_line_keeps_what_confirms_it_later(tmp_path):
    facts = {"first_losses": [2.0, 1.5], "weights_digest": "e" * 64}
    line = ledger_line(make_result(floor("small")[0].spec, **facts))
    assert line.items() >= facts.items()
    append(tmp_path, [line])
    assert read_ledger(tmp_path) == {line["run_id"]: line}
    earlier = ledger_line(make_result(floor("small")[0].spec))
    assert not facts.keys() & earlier.keys(), "results of earlier editions lack them"


def test_incomplete_result_is_refused():
    result = make_result(floor("small")[0].spec)
    del result["hardware"]
    with pytest.raises(ValueError, match="lacks hardware"):
        ledger_line(result)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:-9], r"chapter3\.jsonl:3 is not valid JSON"),
        (lambda text: text + "7\n", r":4: a JSON object is needed, not int"),
        (lambda text: text + text.splitlines()[0] + "\n", r":4: run .* has a line already"),
        (
            lambda text: text.replace('"seed":0', '"seed":9'),
            r":1: the line has the run_id .* its spec gives",
        ),
        (lambda text: text.replace('"commit"', '"sha"'), r":1: keys are"),
    ],
)
def test_damaged_ledger_is_named(tmp_path, lines, damage, message):
    append(tmp_path, lines)
    file = tmp_path / "chapter3.jsonl"
    file.write_text(damage(file.read_text()))
    with pytest.raises(ValueError, match=message):
        read_ledger(tmp_path)


def test_line_in_the_wrong_chapter_is_refused(tmp_path, lines):
    append(tmp_path, lines)
    (tmp_path / "chapter3.jsonl").rename(tmp_path / "chapter4.jsonl")
    with pytest.raises(ValueError, match=r"belongs in chapter3\.jsonl"):
        read_ledger(tmp_path)


def test_runs_of_no_chapter_have_a_file_of_their_own(tmp_path, lines):
    spec = {**lines[0]["spec"], "chapter": None}
    own = {**lines[0], "spec": spec, "run_id": run_id(spec)}
    assert {path.name for path in append(tmp_path, [*lines, own])} == {
        "chapter3.jsonl",
        "own.jsonl",
    }
    assert read_ledger(tmp_path)[own["run_id"]] == own


def test_bad_line_leaves_the_ledger_alone(tmp_path, lines):
    append(tmp_path, lines)
    before = (tmp_path / "chapter3.jsonl").read_bytes()
    with pytest.raises(ValueError, match="its spec gives"):
        append(tmp_path, [{**lines[0], "run_id": "other"}])
    assert (tmp_path / "chapter3.jsonl").read_bytes() == before


def test_committed_ledger_is_valid_and_has_no_smoke():
    assert all(
        line["spec"]["preset"] != "smoke" for line in read_ledger(WORKFLOW / "ledger").values()
    )
