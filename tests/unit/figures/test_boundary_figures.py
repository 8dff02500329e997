"""Figures 10 and 11 on tiny runs: files, columns, names of values, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from structnets.analysis.trained import load_run
from structnets.data.sets.preparation import Preparation
from structnets.figures.performing import perform
from structnets.forms.writing import prepare
from structnets.identity import prepared_name, run_id
from structnets.specs.figure_options import check_options
from structnets.specs.spec import validate
from structnets.training.run import run_spec

Made = dict[str, Any]
PREPARE = {"difficulty": "hard", "textures": "skimage"}
NETS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "dynamic": ("dynamic_block", {}, {"name": "textured_blobs", "prepare": PREPARE}),
    "fcn": ("small_fcn", {}, {"name": "textured_blobs", "prepare": PREPARE}),
    "dynresnet": ("dynresnet", {"width": 0.05}, {"name": "made_boundaries"}),
    "hnet": ("hnet", {"width": 0.2}, {"name": "made_boundaries"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("boundaries")
    blobs = prepared_name({"name": "textured_blobs", "prepare": PREPARE})
    prepare(Preparation("textured_blobs", PREPARE), root / "prepared" / blobs)
    prepare(Preparation("made_boundaries"), root / "prepared" / "made_boundaries")
    return root


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Path]:
    """Train every net by one step; return the runs' folders."""
    found = {}
    for key, (name, options, data) in NETS.items():
        content = {
            "chapter": 4,
            "preset": "smoke",
            "seed": 0,
            "model": {"name": name, "options": options},
            "data": {**data, "train_size": 4},
            "metric": "ods",
            "recipe": {
                "optimizer": {"name": "adam"},
                "epochs": 1,
                "batch_size": 4,
                "boundaries": {"thresholds": 3},
            },
        }
        spec = validate(content)
        found[key] = folder / "runs" / run_id(spec)
        prepared = folder / "prepared" / prepared_name(spec["data"])
        run_spec(spec, prepared, found[key], folder / "work" / key)
    return found


@pytest.fixture
def analyse(folder: Path, trained: dict[str, Path], tmp_path: Path) -> Callable[..., Made]:
    def make(analysis: str, keys: tuple[str, ...], **options: Any) -> Made:
        loaded = [load_run(trained[key], folder / "prepared", key=key, label=key) for key in keys]
        resolved = {
            "analysis_id": f"{analysis}-smoke-0",
            "target": analysis,
            "title": "A figure",
            "preset": "smoke",
            "analysis": analysis,
            "options": check_options(analysis, options, "test"),
            "models": [{"key": run.key, "run_id": run.run_id} for run in loaded],
        }
        return perform(resolved, loaded, tmp_path / "figure", tmp_path / "work")

    return make


def names(*keys: str) -> set[str]:
    return {f"{key}.{score}" for key in keys for score in ("ods", "ois", "ap")}


def test_blob_pictures(analyse: Callable[..., Made], tmp_path: Path) -> None:
    found = analyse("blob_pictures", ("dynamic", "fcn"), images=2)
    assert set(found["values"]) == names("dynamic", "fcn")
    assert found["values"]["fcn.ods"]["n"] == 100
    assert {path.suffix for path in tmp_path.glob("figure.*")} == {".svg", ".png", ".csv"}


def test_outlines_score_made_images_alone(analyse: Callable[..., Made], tmp_path: Path) -> None:
    found = analyse("outlines", ("dynamic",), images=1)
    assert set(found["values"]) == {"dynamic.ods"}
    assert found["values"]["dynamic.ods"]["n"] == 100
    assert (tmp_path / "figure.csv").read_text().splitlines()[1].startswith("dynamic.ods,")
    with pytest.raises(ValueError, match="fcn is a SmallFCN; the outlines show a single dynamic"):
        analyse("outlines", ("fcn",))


def test_detections(analyse: Callable[..., Made], tmp_path: Path) -> None:
    found = analyse("detections", ("dynresnet", "hnet"), images=9)
    assert set(found["values"]) == names("dynresnet", "hnet")
    lines = (tmp_path / "figure.csv").read_text().splitlines()
    assert (lines[0], len(lines)) == ("net,recall,precision", 1 + 2 * 3)
