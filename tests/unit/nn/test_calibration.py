"""`calibrate`: what a machine takes corrects the cost model, where a program asks for it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from structnets.nn import BusyMachineWarning, GaussianConv2d, calibrate, calibration
from structnets.nn import _discretised_cost as cost


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "MEASURED", {})


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every machine be idle, and one layer stand for all."""
    monkeypatch.setattr(calibration, "_load", lambda: 0.0)
    monkeypatch.setattr(calibration, "LEAST_SHARE", 0.0)
    monkeypatch.setattr(calibration, "LAYERS", calibration.LAYERS[2:3])


def chosen() -> str:
    layer = GaussianConv2d(16, 16, order=2, discretisation="hybrid")
    layer(torch.zeros(2, 16, 20, 20))
    return next(iter(layer.plan.values()))


@pytest.mark.usefixtures("quiet")
def test_measured_factors_are_kept_and_read(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "cache" / "structnets" / "calibration.json"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    state = torch.get_rng_state()
    factors = calibrate()
    assert torch.equal(torch.get_rng_state(), state)
    assert {"composed training", "pieces differences inference"} <= set(factors)
    assert set(factors) <= set(cost.FACTOR_NAMES)
    assert all(0.25 <= value <= 4 for value in factors.values())
    assert list(json.loads(file.read_text())["machines"].values()) == [factors]
    monkeypatch.setattr(calibration, "measure", lambda: pytest.fail("measured again"))
    assert calibrate() == factors == cost.MEASURED[torch.get_num_threads()]


def test_what_is_measured_decides(tmp_path: Path, monkeypatch) -> None:
    usual = chosen()
    slow = "pieces differences training" if usual == "pieces" else f"{usual} training"
    monkeypatch.setattr(calibration, "measure", lambda: {slow: 4.0})
    calibrate(tmp_path / "c.json")
    assert chosen() != usual
    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    assert chosen() == usual  # of other numbers of threads nothing is known


def test_nothing_is_measured_on_a_loaded_machine(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    with pytest.warns(BusyMachineWarning, match="built-in rates"):
        assert calibrate(tmp_path / "c.json") == {}
    assert not list(tmp_path.iterdir())
    assert not cost.MEASURED


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"version": 0, "machines": {}}',
        '{"version": 1, "machines": {"MACHINE": {"composed training": 1e300}}}',
        '{"version": 1, "machines": {"MACHINE": {"composed training": NaN}}}',
        '{"version": 1, "machines": {"MACHINE": {"composed training": true}}}',
        '{"version": 1, "machines": {"MACHINE": {"os.system": 1.0}}}',
        '{"version": 1, "machines": {"MACHINE": []}}',
        '{"version": 1, "machines": {"MACHINE": {}}, "more": 1}',
    ],
)
def test_other_files_are_passed_over_and_replaced(
    content: str, tmp_path: Path, monkeypatch
) -> None:
    file, found = tmp_path / "c.json", {"composed training": 2.0}
    file.write_text(content.replace("MACHINE", calibration._machine()))
    monkeypatch.setattr(calibration, "measure", lambda: found)
    with pytest.warns(UserWarning, match="is no calibration"):
        assert calibrate(file) == found
    assert calibrate(file) == found  # without a word


def test_a_link_is_neither_read_nor_replaced(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "other").write_text("precious")
    (tmp_path / "c.json").symlink_to(tmp_path / "other")
    monkeypatch.setattr(calibration, "measure", lambda: {"composed training": 2.0})
    with pytest.warns(UserWarning, match="is a link"):
        calibrate(tmp_path / "c.json")
    assert (tmp_path / "other").read_text() == "precious"
    assert (tmp_path / "c.json").is_symlink()


@pytest.mark.usefixtures("quiet")
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="c.json"):
        assert calibrate(tmp_path / "file" / "c.json")
