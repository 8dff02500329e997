"""The one call that makes a run again."""

import json
import shlex
import subprocess

import pytest

from structnets import cli
from structnets.identity import run_id
from structnets.reporting.ledger import read_ledger
from structnets.reporting.reproduction import reproduction
from tests.made_results import WORKFLOW, floor


def test_call_of_a_run_in_the_ledger():
    found = reproduction(WORKFLOW, "table6", "image", "resnet20", 1)
    request = next(
        one for one in floor("small", "table6") if (one.row, one.spec["seed"]) == ("image", 1)
    )
    assert found.run_id == run_id(request.spec)
    assert found.in_ledger == (found.run_id in read_ledger(WORKFLOW / "ledger"))
    assert found.call == (
        f"snakemake --profile profiles/local results/runs/{found.run_id}/result.json --config "
        "preset=small rows=image columns=resnet20 seeds=2 ledger=ignore"
    )


def test_labels_name_the_same_cell():
    assert reproduction(WORKFLOW, "figure6", "RFNN", "1,000") == reproduction(
        WORKFLOW, "figure6", "rfnn", "n1000"
    )


def test_other_places_are_quoted_and_used():
    found = reproduction(WORKFLOW, "figure6", "rfnn", "n300", config={"results": "/a b"})
    assert f"'/a b/runs/{found.run_id}/result.json'" in found.call
    assert "'results=/a b'" in found.call


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tabel6", "image", "resnet20"], "'tabel6' is no target with cells (did you mean table6"),
        (["table6", "imag", "resnet20"], "no row 'imag' (did you mean image?); allowed: pixel"),
        (["table6", "image", "resnet21"], "no column 'resnet21' (did you mean resnet20"),
        (["table3", "rcnn", "cifar10"], "row rcnn, column cifar10 has no run; presets with one: n"),
        (["table3", "rfnin", "cifar100", "--preset", "small"], "with one: paper, smoke"),
        (["table6", "image", "resnet20", "--seed", "-1"], "--seed is -1; it must be 0 or more"),
    ],
)
def test_mistakes_are_named(words, message, capsys):
    assert cli.main(["reproduce", *words]) == 2
    assert message in capsys.readouterr().err


def test_command_prints_one_document(capsys):
    words = ["reproduce", "table6", "image", "resnet20", "--preset", "paper", "--json"]
    assert cli.main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"run_id", "preset", "in_ledger", "call"}
    assert found["preset"] == "paper"


def test_run_makes_the_printed_call_in_the_checkout(monkeypatch, capsys):
    made = []

    def instead(call, cwd, **_):
        made.append((call, cwd))
        return subprocess.CompletedProcess(call, 3)

    monkeypatch.setattr(subprocess, "run", instead)
    assert cli.main(["reproduce", "table6", "image", "resnet20", "--run"]) == 3
    ((call, cwd),) = made
    assert shlex.join(call[2:]) == capsys.readouterr().out.strip()
    assert (cwd / "workflow" / "Snakefile").is_file()
