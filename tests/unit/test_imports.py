"""The library needs torch, numpy and the standard library only, and imports them late."""

import importlib.metadata
import json
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import structnets
from structnets.files import read_json, write_json
from structnets.forms.splits.stored import write_prepared
from structnets.specs.spec import validate

# Makes every other package look uninstalled (sysconfig's data module has a name per platform).
BLOCKER = """
import sys

class Only:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root in ALLOWED or root.startswith("_sysconfigdata"):
            return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

sys.meta_path[:] = [Only(finder) for finder in sys.meta_path]
"""


def with_dependencies(*distributions: str) -> set[str]:
    """Names of the distributions and of all they require here."""
    found: set[str] = set()
    waiting = list(distributions)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    return found


@pytest.fixture(scope="module")
def blocker() -> str:
    needed = with_dependencies("torch", "numpy")
    allowed = {"structnets", "__mp_main__", *sys.stdlib_module_names}
    for module, owners in importlib.metadata.packages_distributions().items():
        if any(re.sub(r"[-_.]+", "-", owner).lower() in needed for owner in owners):
            allowed.add(module)
    assert not allowed & {"pydantic", "scipy", "matplotlib", "typer", "rich", "yaml", "ray"}
    return f"ALLOWED = {sorted(allowed)!r}\n{BLOCKER}"


@pytest.fixture
def prepared(tmp_path):
    """Forty training and twenty test images of noise, in the prepared form."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 40), ("test", 20)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count) % 10
    write_prepared(tmp_path / "mnist", "mnist", {}, arrays, list("0123456789"), {})
    return tmp_path / "mnist"


@pytest.fixture
def spec_file(tmp_path):
    spec = {
        "chapter": 3,
        "preset": "smoke",
        "seed": 0,
        "model": {"name": "rfnn_mnist"},
        "data": {"name": "mnist", "train_size": 20},
        "recipe": {"optimizer": {"name": "adam"}, "epochs": 1, "batch_size": 10},
    }
    write_json(tmp_path / "spec.json", validate(spec))
    return tmp_path / "spec.json"


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_import_of_the_package_is_light():
    done = run("""
        import sys
        before = set(sys.modules)
        import structnets
        roots = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(sorted(roots - sys.stdlib_module_names))
    """)
    assert done.stdout.strip() == "['structnets']", done.stderr


def test_library_imports_with_torch_and_numpy_alone(blocker):
    modules = [
        "structnets.bases",
        "structnets.cli",
        "structnets.forms.splits.stored",
        "structnets.data.batches.subset",
        "structnets.identity",
        "structnets.models",
        "structnets.nn",
        "structnets.training.run",
    ]
    done = run(
        blocker + "import importlib\nfor m in sys.argv[1:]: importlib.import_module(m)", *modules
    )
    assert done.returncode == 0, done.stderr


def test_blocker_blocks(blocker):
    done = run(blocker + "import pydantic")
    assert "No module named 'pydantic'" in done.stderr


def test_models_build_with_torch_and_numpy_alone(blocker):
    done = run(blocker + "import structnets\nprint(structnets.create_model('rfnn_mnist'))")
    assert done.returncode == 0, done.stderr


def test_train_command_needs_torch_and_numpy_alone(blocker, prepared, spec_file, tmp_path):
    words = ["train", str(spec_file), "--data", str(prepared), "--out", str(tmp_path / "out")]
    code = blocker + "from structnets.cli import main\nsys.exit(main(sys.argv[1:]))"
    done = run(code, *words, "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == read_json(tmp_path / "out" / "result.json")


COMMANDS = [
    (["models"], r"structnets\[(spec|scattering)\]"),
    (["results"], r"structnets\[spec\]"),
    (["validate", "spec.json"], r"structnets\[spec\]"),
    (["analyse", "learned_filters", "--prepared", ".", "--out", "."], r"structnets\[spec\]"),
    (["boundary-eval", "pred", "gt"], r"structnets\[boundaries\]"),
    (["audit"], r"structnets\[cluster\]"),
]


def test_commands_say_what_they_need(blocker, spec_file):
    """Each in one line, and its help needs nothing."""
    for folder in ("pred", "gt"):
        (spec_file.parent / folder).mkdir()
    code = """
    import contextlib, io, os
    from structnets.cli import main
    os.chdir(sys.argv[1])
    for words in json.loads(sys.argv[2]):
        for given in (words[:1] + ["--help"], words):
            error = io.StringIO()
            with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
                try:
                    code = main(given)
                except SystemExit as stop:
                    code = stop.code
            print(json.dumps([given, code, error.getvalue()]), file=sys.__stdout__)
    """
    words = json.dumps([words for words, _ in COMMANDS])
    done = run(f"{blocker}import json\n{textwrap.dedent(code)}", str(spec_file.parent), words)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    for number, (command, extra) in enumerate(COMMANDS):
        asked, needed = said[2 * number : 2 * number + 2]
        if command != ["audit"]:
            assert asked[1:] == [0, ""]
        assert needed[1] == 2, needed
        line = needed[2].splitlines()[-1]  # above it a slow machine says what it waits for
        assert re.search(extra, line), line


@pytest.mark.slow
def test_train_command_runs_under_torchrun(prepared, spec_file, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", "-m", "structnets.cli", "train", str(spec_file)]
    command += ["--data", str(prepared), "--out", str(tmp_path), "--device", "cpu", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hardware"]["world_size"] == 2


def test_lazy_names_are_the_registrys():
    from structnets.models import registry

    assert structnets.create_model is registry.create_model
    assert structnets.list_models is registry.list_models
    assert set(structnets.__all__) <= set(dir(structnets))


def test_unknown_attribute_is_named():
    with pytest.raises(AttributeError, match="no attribute 'create_modle'"):
        _ = structnets.create_modle


def test_layers_are_imported_without_the_compiler() -> None:
    """It takes a second to import, and only what compiles or optimises needs it."""
    code = "import sys, structnets.nn; sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
