"""The command line: documents on standard output, one clear message for an error."""

import errno
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from structnets import cli, installation
from structnets.cli import models, targets
from structnets.cli.printing import print_table
from structnets.identity import run_id

SPEC = {
    "chapter": 3,
    "preset": "small",
    "seed": 0,
    "model": {"name": "rfnn_mnist"},
    "data": {"name": "mnist", "train_size": 300},
    "recipe": {"optimizer": {"name": "adadelta"}, "epochs": 2, "batch_size": 25},
}


@pytest.fixture
def spec_file(tmp_path):
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(SPEC))
    return file


def test_models_prints_one_document(capsys):
    assert cli.main(["models", "rfnn_mnist*", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert {model["name"] for model in models} == {"rfnn_mnist", "rfnn_mnist_order3"}
    keys = {"name", "chapter", "params", "collapsed_params", "thesis_params", "note"}
    assert all(set(model) == keys for model in models)


def test_models_prints_a_table(capsys):
    assert cli.main(["models", "cnn_b"]) == 0
    assert "cnn_b" in capsys.readouterr().out


def test_validate_resolves_a_spec(spec_file, capsys):
    assert cli.main(["validate", str(spec_file), "--json"]) == 0
    resolved = json.loads(capsys.readouterr().out)
    assert resolved["recipe"]["kind"] == "gradient"
    assert cli.main(["validate", str(spec_file)]) == 0
    assert capsys.readouterr().out.strip() == run_id(resolved)


def test_validate_names_the_runs_of_an_experiment(tmp_path, capsys):
    experiment = tmp_path / "rfnn.yaml"
    shared = {key: SPEC[key] for key in ("chapter", "model", "data", "recipe")}
    presets = {"smoke": {"recipe": {"epochs": 1}}, "small": {}}
    experiment.write_text(json.dumps({**shared, "presets": presets}))
    assert cli.main(["validate", str(experiment)]) == 0
    lines = capsys.readouterr().out.split()
    assert len(lines) == 2
    assert all(line.startswith("rfnn_mnist-mnist-n300-s0-") for line in lines)


def test_results_of_an_empty_ledger(tmp_path, capsys):
    page = tmp_path / "RESULTS.md"
    assert cli.main(["results", "--ledger", str(tmp_path), "--json", "--write", str(page)]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert "Figure 6" in page.read_text()


def test_numbers_of_a_list_in_a_table_have_four_digits(capsys):
    print_table(["interval"], [{"interval": (-2.43528210, 1.30194877)}])
    assert "-2.435, 1.302 " in capsys.readouterr().out


def test_a_narrow_terminal_has_a_line_a_value_and_no_number_is_cut(capsys, monkeypatch):
    rows = [{"name": f"net{n}", "error": n + 0.123, "note": "nothing of it"} for n in range(2)]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    print_table(["name", "error", "empty", "note"], rows)
    narrow = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)
    assert narrow.split("\n\n")[1].splitlines() == [
        "name: net1",
        "error: 1.123",
        "note: nothing of it",
    ]
    monkeypatch.setenv("COLUMNS", "60")
    print_table(["name", "error", "empty", "note"], rows)
    assert "nothing of it" in capsys.readouterr().out.splitlines()[3]


def test_command_is_required(capsys):
    assert cli.main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "a command is required" in printed.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["models", "nothing*"], "no model matches 'nothing*'"),
        (["validate", "absent.json"], "absent.json is missing"),
        (["validate", "run.toml"], "run.toml: a spec ends in .json, an experiment file in .yaml"),
        (["results", "--ledger", "absent"], "absent is not a folder"),
        (["claims", "--ledger", "absent"], "absent is not a folder"),
        (["report", "--ledger", "absent"], "absent is not a folder"),
        (["report", "--targets", "absent"], "absent is not a folder"),
        (["report", "--results", "absent"], "absent is not a folder"),
        (["new-study", "--images", "absent"], "absent is not a folder"),
        (["new-study", "--cohort", "absent", "--label", "age"], "absent is not a folder"),
    ],
)
def test_error_of_the_user_is_one_message(words, message, capsys):
    assert cli.main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("structnets: ")
    assert message in printed.err
    assert "Traceback" not in printed.err


def test_a_study_is_told_what_checks_it(tmp_path, capsys):
    study = tmp_path / "my.yaml"
    study.write_text("study: pets\nimages: pets\n")
    assert cli.main(["validate", str(study)]) == 2
    assert f"-n study --config study={study}\n" in capsys.readouterr().err


def test_a_mistyped_run_is_suggested(tmp_path, capsys):
    run = tmp_path / "runs" / "resnet20-pets-full-s0-0a1b2c3d"
    run.mkdir(parents=True)
    (run / "model.pt").touch()
    words = [run.name[:-1], "--results", str(tmp_path), "--format", "torch", "--out", "net.pt2"]
    assert cli.main(["export", *words]) == 2
    assert f"(did you mean {run.name}?): neither " in capsys.readouterr().err


def test_error_is_a_document_too(capsys):
    assert cli.main(["validate", "absent.json", "--json"]) == 2
    printed = capsys.readouterr()
    assert "absent.json is missing" in json.loads(printed.out)["error"]
    assert printed.err.startswith("structnets: ")


def test_error_of_the_call_is_a_document_too(capsys):
    with pytest.raises(SystemExit):
        cli.main(["export", "RUN", "--format", "onx", "--out", "f", "--json"])
    printed = capsys.readouterr()
    assert "(did you mean onnx?)" in json.loads(printed.out)["error"]
    assert "usage: structnets export" in printed.err


def test_full_disk_is_said_without_a_traceback():
    command = [sys.executable, "-m", "structnets", "validate", "absent.json", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert "absent.json is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_written_is_named_as_asked_for(monkeypatch, capsys):
    def refused(options):
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/.report.html.0a1b2c3d.part")

    monkeypatch.setattr(targets, "run", refused)
    assert cli.main(["targets"]) == 2
    assert capsys.readouterr().err == "structnets: /srv/report.html: Permission denied\n"


def test_matplotlib_keeps_its_substitutes_to_itself():
    code = (
        "import logging, sys; from structnets.foreign.shown import log_to; "
        "log_to(sys.stderr, '%(message)s'); logging.getLogger('structnets').info('ours'); "
        "logging.getLogger('matplotlib.font_manager').warning('theirs')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\n"


def test_a_closed_output_is_no_error():
    command = f"{shlex.quote(sys.executable)} -m structnets targets table1 >&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("content", ["[1]", "1", "null", '"spec"', "{}"])
@pytest.mark.parametrize("name", ["spec.json", "experiment.yaml"])
def test_a_file_of_another_kind_is_refused(tmp_path, name, content, capsys):
    (tmp_path / name).write_text(content)
    assert cli.main(["validate", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.startswith("structnets: ")


def test_debug_shows_the_error():
    with pytest.raises(FileNotFoundError):
        cli.main(["validate", "absent.json", "--debug"])


def test_damaged_experiment_is_named(tmp_path, capsys):
    file = tmp_path / "broken.yaml"
    file.write_text("model: [")
    assert cli.main(["validate", str(file)]) == 2
    assert "broken.yaml is not valid YAML" in capsys.readouterr().err


def test_missing_package_is_named_with_its_remedy(monkeypatch, capsys):
    def lacking(options):
        raise ModuleNotFoundError("No module named 'rich'", name="rich")

    monkeypatch.setattr(models, "run", lacking)
    assert cli.main(["models"]) == 2
    assert "pip install 'structnets[spec]'" in capsys.readouterr().err


def test_missing_package_of_somebody_else_is_named(monkeypatch, capsys):
    def lacking(options):
        raise ModuleNotFoundError("No module named 'timm'", name="timm")

    monkeypatch.setattr(models, "run", lacking)
    assert cli.main(["models"]) == 2
    assert "'timm'; install the package that it is part of" in capsys.readouterr().err


def test_commands_of_a_checkout_say_so(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "site" / "structnets" / "x.py"))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["audit"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "structnets audit is part of the pipeline, which runs from a checkout" in line


def test_commands_of_a_checkout_find_the_one_around(tmp_path, monkeypatch):
    for part in ("workflow/Snakefile", "pipelines/__init__.py", "src/structnets/__init__.py"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).touch()
    (tmp_path / "results" / "tables").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "results" / "tables")
    assert installation.find_checkout("x") == tmp_path
    monkeypatch.chdir("/")
    assert (installation.find_checkout("x") / "pyproject.toml").is_file()


def test_targets_prints_one_document(capsys):
    assert cli.main(["targets", "sweep_*", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = {"target", "kind", "chapter", "title", "rows", "columns", "presets"}
    assert all(set(one) == keys and one["kind"] == "sweep" for one in found)
    assert cli.main(["targets", "figure6"]) == 0
    assert "figure6" in capsys.readouterr().out
    assert cli.main(["targets", "nothing"]) == 2
    assert "no target matches 'nothing'" in capsys.readouterr().err


def test_old_option_names_the_new(capsys):
    with pytest.raises(SystemExit):
        cli.main(["results", "--tables", "x"])
    assert "--tables: tables, analyses, drawings and sweeps" in capsys.readouterr().err
