"""How a command is found and called: help, examples, suggestions, exit status."""

import shlex
import subprocess
import sys

import pytest

from structnets import cli
from structnets.cli import targets
from structnets.cli.commands import COMMANDS
from structnets.cli.parsing import parser_of

OF_LIBRARY = [name for name, command in COMMANDS.items() if not command.checkout]


def said(words, capsys):
    """Exit status of a call, and what it printed; argparse leaves by an exception."""
    try:
        status = cli.main(words)
    except SystemExit as left:
        status = left.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_examples(name, capsys):
    status, out, err = said([name, "--help"], capsys)
    assert (status, err) == (0, "")
    assert f"  structnets {name}" in out.partition("examples:")[2]


@pytest.mark.parametrize("name", OF_LIBRARY)
def test_examples_are_calls_that_the_command_takes(name):
    parser = parser_of(name, COMMANDS[name])
    examples = sys.modules[COMMANDS[name].module].EXAMPLES
    assert examples
    for call, what in examples:
        words = shlex.split(call)
        parser.parse_args(words[words.index(name) + 1 :])
        assert what


def test_overview_lists_every_command(capsys):
    status, out, _ = said(["--help"], capsys)
    assert status == 0
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["modelz"], "there is no command 'modelz' (did you mean models?)"),
        (["models", "rfnin_scale"], "(did you mean rfnin_scale4 or rfnin_scale3"),
        (["targets", "tabl7"], "(did you mean table7"),
        (["results", "tabl7"], "(did you mean table7"),
        (["models", "--jsn"], "--jsn (did you mean --json?)"),
        (["train", "x", "--data", ".", "--out", ".", "--device", "cuad"], "(did you mean cuda?)"),
    ],
)
def test_what_is_mistyped_is_suggested(words, suggestion, capsys):
    status, out, err = said(words, capsys)
    assert (status, out) == (2, "")
    assert suggestion in err


def test_status_of_a_command_is_that_of_the_process(monkeypatch):
    monkeypatch.setattr(targets, "run", lambda options: 1)
    assert cli.main(["targets"]) == 1


def test_interruption_is_said(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr(targets, "run", interrupted)
    assert said(["targets"], capsys) == (130, "", "structnets: interrupted\n")


def test_package_is_a_program():
    call = [sys.executable, "-m", "structnets", "--version"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == cli.overview.__version__


def test_options_that_are_no_object_are_refused(capsys):
    words = ["analyse", "x", "--prepared", ".", "--out", ".", "--options"]
    for wrong, message in (("{", "not valid JSON"), ("[1]", 'write options as {"name": value}')):
        status, _, err = said([*words, wrong], capsys)
        assert status == 2
        assert message in err


def test_results_of_one_target(tmp_path, capsys):
    words = ["results", "table7", "--ledger", str(tmp_path)]
    status, out, err = said(words, capsys)
    assert (status, out) == (0, "")
    assert err.endswith("the ledger has no run of table7\n")
    assert said([*words, "--json"], capsys)[:2] == (0, "[]\n")


def test_a_gpu_that_is_not_there_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("structnets.cli.train._checked_where_possible", lambda spec: spec)
    (tmp_path / "spec.json").write_text("{}")
    words = ["train", str(tmp_path / "spec.json"), "--data", ".", "--out", str(tmp_path)]
    status, _, err = said([*words, "--device", "cuda"], capsys)
    assert status == 2
    assert "--device cuda: torch finds no GPU here" in err


def test_what_steers_a_terminal_is_shown_as_its_escape(tmp_path, capsys):
    status, out, err = said(["validate", str(tmp_path / "a\x1b[2J.yaml")], capsys)
    assert status == 2
    assert r"a\x1b[2J.yaml" in err
    assert "\x1b" not in out + err
