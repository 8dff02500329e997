"""The workflow called from another folder, with `-s`, where nothing of it is installed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from structnets.specs.configuration import Configuration, load_configuration
from tests.dag import forked_snakemake
from tests.made_results import REPOSITORY


@pytest.fixture
def called_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a runner of this checkout's workflow in an empty folder with a foreign `pipelines`."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    }

    def run(*words: str, code: int = 0) -> str:
        words = ("-s", str(REPOSITORY / "Snakefile"), *words)
        done = forked_snakemake.snakemake(words, tmp_path, environment, timeout=300)
        assert done.code == code, done.text
        return done.text

    return run


def test_a_plan_is_made_of_the_checkout_s_files(called_there: Callable[..., str]) -> None:
    assert "figure6" in called_there("-n", "figure6", "--quiet", "rules")


def test_a_wrong_name_gets_the_list_there_too(called_there: Callable[..., str]) -> None:
    assert "unknown target 'figur6' (did you mean figure6" in called_there("-n", "figur6", code=1)


@pytest.mark.slow
def test_jobs_run_the_checkout_s_stages(called_there: Callable[..., str], tmp_path: Path) -> None:
    called_there("figure9", "--cores", "1")
    assert (tmp_path / "results" / "figures" / "figure9.svg").is_file()


def test_a_model_beside_the_call_is_found(
    clone: Path, snakemake: Callable[..., str], tmp_path: Path
) -> None:
    (clone / "own_nets.py").write_text(
        "from torch import nn\n"
        "class OwnNet(nn.Linear):\n"
        "    def __init__(self, num_classes=10, **options):\n"
        "        super().__init__(784, num_classes)\n"
    )
    for path in (clone / "workflow" / "experiments" / "chapter3").glob("mnist_cnn*.yaml"):
        path.write_text(re.sub(r"name: cnn_b\b", "name: own_nets:OwnNet", path.read_text()))
    text = snakemake("-n", "-p", "figure6", "--config", "rows=cnn_b")
    assert '"name":"own_nets:OwnNet"' in text
    assert "runs/ownnet-" in text


def test_folders_of_the_workflow_lie_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    there = load_configuration({}, str(REPOSITORY))
    assert there == Configuration()
    monkeypatch.chdir(tmp_path)
    elsewhere = load_configuration({"ledger_root": "mine"}, str(REPOSITORY))
    assert elsewhere.ledger_root == "mine"
    assert elsewhere.results == there.results
    assert Path(elsewhere.experiments) == REPOSITORY / there.experiments
