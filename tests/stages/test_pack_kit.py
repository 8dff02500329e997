"""Packing a kit, and taking finished runs out of what came back."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import pack_kit as module
from pipelines.pack_kit import load_list, main, pack_kit, wanted
from structnets.files import read_json, write_json
from structnets.specs.kit import WantedCells
from structnets.training.kit_archives import pack

CHECKOUT = Path(__file__).parents[2]
FIGURE6 = {"target": "figure6", "preset": "smoke", "columns": ["n300"]}
CELLS = [
    WantedCells(**FIGURE6, rows=["cnn_b"], seeds=1),
    WantedCells(**FIGURE6, rows=["rfnn", "cnn_b"]),
]


@pytest.fixture
def specs(monkeypatch, tmp_path):
    monkeypatch.chdir(CHECKOUT)
    return wanted(CELLS, tmp_path / "ledger")


def test_first_wanted_runs_come_first_and_once(specs):
    assert [run.partition("-")[0] for run in specs] == ["cnn_b", "rfnn_mnist"]


def test_kit_is_complete_and_runs_without_the_checkout(specs, tmp_path):
    sizes = pack_kit(specs, tmp_path, tmp_path, tmp_path / "kit")
    assert sizes["runs"] == 2
    assert read_json(tmp_path / "kit" / "kit.json")["runs"] == list(specs)
    done = subprocess.run(
        [sys.executable, "run.py", "--seconds", "15", "--out", str(tmp_path / "back")],
        cwd=tmp_path / "kit",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "kit: --seconds must be above 20" in done.stderr, done.stderr
    with pytest.raises(FileExistsError, match="is already there"):
        pack_kit(specs, tmp_path, tmp_path, tmp_path / "kit")


def test_data_that_do_not_fit_are_left_out_with_a_word(specs, tmp_path, monkeypatch, caplog):
    mnist = {"name": "mnist", "prepare": {}, "train_size": 300}
    run, spec = next(iter(specs.items()))
    folder = tmp_path / "mnist"
    folder.mkdir()
    for stem in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{stem}-ubyte.gz").write_bytes(bytes(100))
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    sizes = pack_kit({run: {**spec, "data": mnist}}, tmp_path, tmp_path, tmp_path / "kit")
    assert sizes["runs"] == 0
    assert f"{run} is left out" in caplog.text


def test_data_that_are_nowhere_are_named(specs, tmp_path):
    run, spec = next(iter(specs.items()))
    mnist = {"name": "mnist", "prepare": {}, "train_size": 300}
    message = f"mnist is neither published below {tmp_path} nor prepared"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        pack_kit({run: {**spec, "data": mnist}}, tmp_path, tmp_path, tmp_path / "kit")


def test_committed_list_asks_for_cells_that_there_are(monkeypatch, tmp_path):
    monkeypatch.chdir(CHECKOUT)
    cells = load_list(CHECKOUT / "workflow" / "config" / "gpu_kit.yaml").wanted
    assert len(wanted(cells, tmp_path)) > 50


def test_what_the_ledger_holds_under_another_preset_is_passed_over(specs, monkeypatch, tmp_path):
    monkeypatch.chdir(CHECKOUT)
    held = next(iter(specs.values()))
    line = {"spec": {**held, "preset": "paper"}}
    monkeypatch.setattr(module, "read_ledger", lambda folder: {"run": line})
    assert [spec["model"]["name"] for spec in wanted(CELLS, tmp_path).values()] == ["rfnn_mnist"]
    monkeypatch.setattr(
        module, "read_ledger", lambda folder: {"run": {"spec": {**held, "seed": 9}}}
    )
    assert list(wanted(CELLS, tmp_path)) == list(specs)


def test_unknown_targets_of_the_list_are_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(CHECKOUT)
    with pytest.raises(ValueError, match="'figur6' of the list is no table or figure"):
        wanted([WantedCells(target="figur6", preset="smoke")], tmp_path)


def test_what_came_back_goes_to_the_results(tmp_path):
    work = tmp_path / "work" / "runs" / "net-mnist-n300-s0-01234567"
    write_json(work / "result.json", {"accuracy": 90})
    pack(tmp_path / "work", tmp_path / "back")
    assert main(["--unpack", str(tmp_path / "back"), "--out", str(tmp_path / "results")]) == 0
    kept = tmp_path / "results" / "runs" / work.name / "result.json"
    assert json.loads(kept.read_text()) == {"accuracy": 90}
