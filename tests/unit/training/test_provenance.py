"""Where a number comes from: what enters the code digest, and what does not."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import structnets
from structnets.training import provenance

LIBRARY = Path(structnets.__file__).parent
RFNN = {"model": {"name": "rfnn_mnist"}, "data": {"name": "mnist"}, "recipe": {"kind": "gradient"}}
SCATTERING = {
    "model": {"name": "scattering"},
    "data": {"name": "mnist"},
    "recipe": {"kind": "closed_form"},
}
Edit = Callable[..., None]


def forget() -> None:
    provenance._syntax.cache_clear()
    provenance._syntax_digest.cache_clear()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of the library that the digest reads instead."""
    copy = tmp_path / "structnets"
    shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "_ROOT", copy)
    forget()
    yield copy
    forget()


@pytest.fixture
def edit(library: Path) -> Edit:
    """Return a replacer of text in a module of the copy."""

    def replace(module: str, old: str, new: str) -> None:
        file = library / module
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        forget()

    return replace


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""', '"""Other words: '),
        ("\n    return", "\n    # Why not?\n    return"),
        ("\n\n\ndef ", "\n\n\n\n\ndef "),
    ],
)
@pytest.mark.parametrize("module", ["training/seeding.py", "nn/evaluation.py"])
def test_words_and_spaces_do_not_enter(module: str, old: str, new: str, edit: Edit) -> None:
    before = provenance.code_digest(RFNN)
    edit(module, old, new)
    assert provenance.code_digest(RFNN) == before


def test_docstring_removed_is_the_same(edit: Edit) -> None:
    before = provenance.code_digest(RFNN)
    edit("training/workers.py", '        """Wait for the others."""\n', "")
    assert provenance.code_digest(RFNN) == before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("models/mnist.py", "WIDTH = 64", "WIDTH = 32"),
        ("training/loop.py", "CHECKPOINT_SECONDS = 30.0", "CHECKPOINT_SECONDS = 31.0"),
        ("training/seeding.py", '"order"', '"sequence"'),
        ("training/optimization.py", 'recipe["epochs"] - epoch', 'recipe["epochs"]'),
        ("training/classification.py", "GPU_BATCH = 50, 500", "GPU_BATCH = 50, 501"),
        ("metrics/classification.py", "100.0 *", "1.0 *"),
        ("data/subset.py", "_VALIDATION_STREAM = 1", "_VALIDATION_STREAM = 2"),
        ("bases/gaussian.py", "first * 2**i", "first * 3**i"),
    ],
)
def test_code_that_is_used_enters(module: str, old: str, new: str, edit: Edit) -> None:
    before = provenance.code_digest(RFNN)
    edit(module, old, new)
    assert provenance.code_digest(RFNN) != before


@pytest.mark.parametrize(
    "module",
    [
        "models/scattering.py",
        "training/closed_form.py",
        "reporting/page.py",
        "cli.py",
        "training/checkpoint.py",
        "training/reporting.py",
        "nn/cost_model.py",
    ],
)
def test_code_that_does_not_compute_does_not_enter(module: str, edit: Edit) -> None:
    before = provenance.code_digest(RFNN)
    edit(module, "from __future__ import annotations\n", "import os\n")
    assert provenance.code_digest(RFNN) == before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("models/mnist.py", "init must be", "init has to be"),
        ("models/mnist.py", "if len(kernel_sizes) != 3:", "if len(kernel_sizes) < 3:"),
        (
            "training/classification.py",
            "        workers = Workers.current()\n",
            "        workers = Workers.current()\n"
            "        if not len(examples):\n            raise ValueError\n",
        ),
    ],
)
def test_checks_that_only_raise_do_not_enter(module: str, old: str, new: str, edit: Edit) -> None:
    before = provenance.code_digest(RFNN)
    edit(module, old, new)
    assert provenance.code_digest(RFNN) == before


def test_each_spec_has_its_own_modules(edit: Edit) -> None:
    rfnn, scattering = provenance.code_digest(RFNN), provenance.code_digest(SCATTERING)
    edit("training/closed_form.py", "BATCH = 250", "BATCH = 251")
    assert provenance.code_digest(RFNN) == rfnn
    assert provenance.code_digest(SCATTERING) != scattering


def test_git_state_names_commit_and_changes(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    clean = provenance.git_state(tmp_path)
    assert len(clean["sha"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "new").write_text("untracked files are no change")
    assert provenance.git_state(tmp_path) == clean
    (tmp_path / "file").write_text("two")
    assert provenance.git_state(tmp_path) == {"sha": clean["sha"], "dirty": True}


def test_hardware_of_this_machine() -> None:
    found = provenance.hardware(torch.device("cpu"), 3, 2)
    assert (found["class"], found["threads"], found["world_size"]) == ("cpu", 3, 2)
    assert found["name"]
    assert found["nodes"] == [platform.node().partition(".")[0]]
    assert provenance.peak_memory_mb(torch.device("cpu")) > 10


def test_versions_of_what_numbers_depend_on() -> None:
    found = provenance.versions()
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert found.keys() >= {"python", "numpy", "structnets"}


def test_no_checkout_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.git_state(tmp_path) == {"sha": None, "dirty": None}


def test_module_that_is_missing_is_named(library: Path) -> None:
    (library / "training" / "classification.py").unlink()
    forget()
    with pytest.raises(ModuleNotFoundError, match=r"structnets\.training\.classification"):
        provenance.code_digest(RFNN)
