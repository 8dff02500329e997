"""What docs/extending.md tells people to write is written and used, block by block."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipelines import render_target
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.files import read_json
from structnets.forms.splits.stored import write_prepared
from structnets.reporting.plan import make_plan
from structnets.specs.configuration import load_configuration
from structnets.specs.sweep import trial_specs
from structnets.training.run import run_spec

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Package:
    """Somebody's folder, and where it is installed."""

    folder: Path
    site: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, with the package installed."""
        own = self.folder / "src"  # a copy of this repository's, where one is changed
        library = own if (own / "structnets" / "__init__.py").exists() else ROOT / "src"
        path = os.pathsep.join([str(self.site), str(library)])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        environment["PATH"] = os.pathsep.join(
            [str(Path(sys.executable).parent), *os.get_exec_path()]
        )
        done = subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done


Follow = Callable[[str], Package]


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """Return a reader of one section: its files are written, its package installed, it is used."""
    written = Package(tmp_path / "own", tmp_path / "site")
    written.folder.mkdir(exist_ok=True)

    def do(title: str) -> Package:
        text = (ROOT / "docs" / "extending.md").read_text()
        (section,) = re.findall(rf"(?ms)^## {re.escape(title)}$(.*?)(?=^## |\Z)", text)
        blocks = BLOCK.findall(section)
        for _, file, content in blocks:
            if file:
                (written.folder / file).parent.mkdir(parents=True, exist_ok=True)
                (written.folder / file).write_text(content)
        if (written.folder / "pyproject.toml").exists():
            install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
            written.run(
                sys.executable,
                *install,
                "--no-build-isolation",
                "--target",
                written.site.as_posix(),
                ".",
            )
        for language, file, content in blocks:
            if language == "sh" and not file:
                written.run("bash", "-euo", "pipefail", "-c", content)
        return written

    return do


@pytest.fixture
def prepared(tmp_path: Path) -> None:
    """Prepare data of noise, as large as the data sets that sections use."""
    rng = np.random.default_rng(0)
    for name in ("digits", "photo_crops"):
        facts, arrays = find_dataset(name), {}
        for split, count in (("train", 120), ("test", 20)):
            arrays[f"{split}_images"] = rng.integers(
                0, 256, (count, *facts.image_shape), dtype=np.uint8
            )
            arrays[f"{split}_labels"] = np.arange(count) % len(facts.classes)
        folder = tmp_path / "own" / "prepared" / name
        write_prepared(folder, name, {}, arrays, list(facts.classes), {})


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_model(follow: Follow) -> None:
    package = follow("A model")
    path, name = (read_json(package.folder / out / "result.json") for out in ("trained", "named"))
    assert path["run_id"].startswith("blurred-digits-n100-s0-")
    assert name["run_id"].startswith("blurred-digits-n100-s0-")
    assert path["run_id"] != name["run_id"]
    assert path["parameters"]["trained"] == 10 * (4**2 + 1)
    assert name["parameters"]["trained"] == 10 * (7**2 + 1)
    listed = package.run("structnets", "models", "blurred", "--json").stdout
    assert '"note": "four pixels in one"' in listed


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_frame(follow: Follow) -> None:
    package = follow("A frame")
    result = read_json(package.folder / "trained" / "result.json")
    assert result["spec"]["model"]["options"]["frame"] == "cosines"


@pytest.mark.slow
def test_a_data_set_of_a_known_form(follow: Follow) -> None:
    package = follow("A data set of a known form")
    named, path = (
        read_json(package.folder / out / "result.json") for out in ("trained", "inverted")
    )
    assert named["run_id"].startswith("rfnn_mnist-bars-n20-s0-")
    assert path["run_id"].startswith("rfnn_mnist-bars-n20-s0-")
    assert len(named["confusion"]) == 2
    assert named["data_digest"] != path["data_digest"]
    images = [
        np.load(package.folder / "prepared" / name / "test_images.npy")
        for name in ("bars", "inverted")
    ]
    np.testing.assert_array_equal(images[0], 255 - images[1])


@pytest.mark.slow
def test_a_form(follow: Follow, tmp_path: Path) -> None:
    copied = tmp_path / "own" / "src" / "structnets"
    shutil.copytree(
        ROOT / "src" / "structnets", copied, ignore=shutil.ignore_patterns("__pycache__")
    )
    package = follow("A form")
    result = read_json(package.folder / "trained" / "result.json")
    assert result["run_id"].startswith("rfnn_mnist-lights-n20-s0-")
    assert 0 < result["metrics"]["mean_error"] < 10
    assert result["spec"]["metric"] == "mean_error"
    path = package.folder / "prepared" / "lights" / "test_amounts.npy"
    path.write_bytes(path.read_bytes()[:-4] + bytes(4))
    words = ("train", "spec.json", "--data", "prepared/lights", "--out", "again")
    with pytest.raises(AssertionError, match=r"test_amounts\.npy has sha256"):
        package.run("env", f"PYTHONPATH={package.folder}:{copied.parent}", "structnets", *words)


@pytest.mark.slow
@pytest.mark.usefixtures("prepared")
def test_a_figure(follow: Follow) -> None:
    package = follow("A figure")
    values = read_json(package.folder / "figures" / "weight_norms.json")["values"]
    assert values
    assert all(one["value"] > 0 for one in values.values())
    endings = {path.suffix for path in (package.folder / "figures").glob("weight_norms.*")}
    assert endings == {".svg", ".png", ".csv", ".json"}
    listed = package.run("structnets", "targets", "--targets", "targets", "--json").stdout
    assert {one["target"]: one["kind"] for one in json.loads(listed)} == {
        "weight_norms": "analysis", "bell": "drawing",
    }  # fmt: skip
    package.run(
        sys.executable,
        "-c",
        "from pathlib import Path; from structnets.figures.drawing import draw; "
        "draw('own_figures.bell:BELL', Path('figures/bell'), title='A Gaussian')",
    )
    assert (package.folder / "figures" / "bell.svg").is_file()


@pytest.mark.usefixtures("prepared")
def test_a_table_and_a_sweep(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.tracking.log_target", lambda *_, **__: None)
    own = follow("A table, sweep or figure target").folder
    folders = {key: str(own / key) for key in ("targets", "experiments")}
    plan = make_plan(load_configuration({**folders, "ledger_root": str(own / "ledger")}))
    assert plan.targets == ["own_table", "sweep_own"]
    assert len(plan.needed["own_table"]) == 4
    run = plan.needed["own_table"][0]
    results, data = own / "results", own / "prepared" / "digits"
    run_spec(plan.specs[run], data, results / "runs" / run, own / "work")
    words = ["--targets", own / "targets", "--target", "own_table", "--preset", "smoke"]
    words += ["--results", results, "--scratch", own / "scratch", "--ledger", own / "ledger"]
    assert render_target.main([str(word) for word in words]) == 0
    cells = read_json(results / "tables" / "own_table.json")["cells"]
    assert [cell["status"] for cell in cells] == ["measured", *["not run"] * 3]
    assert (results / "figures" / "own_table.svg").is_file()
    trials = trial_specs(plan.sweeps["sweep_own"])
    assert [trial["model"]["options"]["kernel_sizes"] for trial in trials] == [[3] * 3, [5, 3, 3]]
    assert run_spec(trials[1], data, own / "trial", own / "trial_work")["metrics"]
