"""What of the library enters a spec's code digest, on copies of its tree that are changed."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import structnets
from structnets.forms.entries import FORMS
from structnets.models.entries import ENTRIES
from structnets.reporting.ledger import read_ledger
from structnets.training import code_digest as digesting
from structnets.training.code_digest import PLUMBING, ROOTS, code_digest
from structnets.training.code_digest.digests import Digests
from structnets.training.code_digest.modules import Library, Module
from tests.made_results import WORKFLOW

LIBRARY = Path(structnets.__file__).parent


def spec_of(model: str, data: str = "mnist", kind: str = "gradient") -> dict[str, Any]:
    return {"model": {"name": model}, "data": {"name": data}, "recipe": {"kind": kind}}


RFNN = spec_of("rfnn_mnist")
SCATTERING = spec_of("scattering", kind="closed_form")
BOUNDARIES = spec_of("dynresnet", "bsds500")


class Copy:
    """A copy of the library that may be changed."""

    def __init__(self, root: Path) -> None:
        self.root = root / "structnets"
        shutil.copytree(LIBRARY, self.root, ignore=shutil.ignore_patterns("__pycache__"))

    def digest(self, spec: dict[str, Any] = RFNN) -> str:
        return code_digest(spec, Digests(Library({"structnets": [self.root]}, ASIDE)))

    def edit(self, module: str, old: str, new: str) -> None:
        file = self.root / module
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    def move(self, old: str, new: str) -> None:
        """Move a module, and change its name wherever it stands."""
        place = self.root / f"{new.replace('.', '/')}.py"
        place.parent.mkdir(exist_ok=True)
        (self.root / f"{old.replace('.', '/')}.py").rename(place)
        self.replace(rf"structnets\.{re.escape(old)}\b", f"structnets.{new}")

    def replace(self, pattern: str, new: str) -> None:
        for file in self.root.rglob("*.py"):
            text = file.read_text()
            if (changed := re.sub(pattern, new, text)) != text:
                file.write_text(changed)

    def run(self, *specs: dict[str, Any]) -> list[str]:
        """Digest by the code of the copy itself, in a process of its own."""
        code = (
            "import json, sys; from structnets.training.code_digest import code_digest; "
            "print(json.dumps([code_digest(s) for s in json.loads(sys.argv[1])])); "
            "assert 'torch' not in sys.modules"
        )
        words = [sys.executable, "-c", code, json.dumps(specs)]
        environment = {"PYTHONPATH": str(self.root.parent), "PYTHONSAFEPATH": "1"}
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


ASIDE = {"structnets": PLUMBING}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


@pytest.fixture(scope="module")
def before() -> Callable[..., str]:
    """Return the digest of a spec by the library as it is."""
    return code_digest


def test_digest_states_its_edition(before: Callable[..., str], copy: Copy) -> None:
    assert re.fullmatch(r"2:[0-9a-f]{64}", before(RFNN))
    assert copy.run(RFNN, SCATTERING, BOUNDARIES) == [
        before(spec) for spec in (RFNN, SCATTERING, BOUNDARIES)
    ]


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("data/batches/seeding.py", '"""', '"""Other words: '),
        ("nn/_evaluation.py", "\n    return", "\n    # Why not?\n    return"),
        ("nn/_evaluation.py", "\n\n\ndef ", "\n\n\n\n\ndef "),
        ("forms/workers.py", '        """Wait for the others."""\n', ""),
        ("nn/_separable_atoms.py", "padding: Pair", "padding: tuple[int, ...]"),
        ("data/batches/seeding.py", "count: int, seed: int, epoch: int)", "count, seed, epoch)"),
        ("models/mnist.py", "init must be", "init has to be"),
        ("models/mnist.py", "if len(kernel_sizes) != 3:", "if len(kernel_sizes) < 3:"),
        (
            "forms/classification.py",
            "        workers = Workers.current()\n",
            "        workers = Workers.current()\n"
            "        if not len(examples):\n            raise ValueError\n",
        ),
        ("models/mnist.py", "from __future__ import annotations\n", "import os\n"),
        ("models/mnist.py", "\nWIDTH", "\nHEIGHT = 3\n\n\ndef other():\n    pass\n\n\nWIDTH"),
        ("models/scattering.py", "import", "import os, "),
        ("training/closed_form.py", "BATCH = 250", "BATCH = 251"),
        ("forms/shards/source.py", "_MOST_THREADS = 16", "_MOST_THREADS = 17"),
        ("cli/__init__.py", "import os\n", "import os\nimport abc\n"),
    ],
)  # fmt: skip
def test_what_is_said_or_lies_elsewhere_does_not_enter(
    module: str, old: str, new: str, copy: Copy, before: Callable[..., str]
) -> None:
    copy.edit(module, old, new)
    assert copy.digest() == before(RFNN)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("training/checkpoint.py", "KEEP = 2", "KEEP = 3"),
        ("training/loop.py", '"step": position.step', '"steps": position.step'),
        ("training/loss_record.py", "self._sums += loss", "self._sums += 2 * loss"),
        ("training/reporting.py", "float(epoch)", "float(epoch + 1)"),
        ("nn/_cost_model.py", "return min(TERMS", "return max(TERMS"),
        ("forms/splits/stored.py", "def load_split(", "def load_split(unused, "),
    ],
)
def test_plumbing_does_not_enter(
    module: str, old: str, new: str, copy: Copy, before: Callable[..., str]
) -> None:
    copy.edit(module, old, new)
    assert copy.digest() == before(RFNN)


def names_in(module: Module | None) -> Iterator[str]:
    """Yield what a module defines, and the methods of its classes."""
    for statements, names in module.definitions if module else ():
        yield from names
        for statement in statements:
            if isinstance(statement, ast.ClassDef):
                methods = (part for part in statement.body if isinstance(part, ast.FunctionDef))
                yield from (f"{statement.name}.{method.name}" for method in methods)


def test_plumbing_is_named_once() -> None:
    digests = digesting.digests_of(frozenset({"structnets"}))
    files = [file.relative_to(LIBRARY) for file in LIBRARY.rglob("*.py")]
    names = Counter[str]()
    for file in files:
        module = digests.library.module(".".join(["structnets", *file.with_suffix("").parts]))
        names.update(name for name in names_in(module) if name in PLUMBING)
    assert names == dict.fromkeys(PLUMBING, 1), "each name of PLUMBING is one definition's"


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("models/mnist.py", "WIDTH = 64", "WIDTH = 32"),
        ("training/loop.py", "CHECKPOINT_SECONDS = 30.0", "CHECKPOINT_SECONDS = 31.0"),
        ("data/batches/seeding.py", '"order"', '"sequence"'),
        ("data/batches/seeding.py", '"initialisation"', '"start"'),
        ("training/optimization.py", 'recipe["epochs"] - epoch', 'recipe["epochs"]'),
        ("forms/classification.py", "GPU_BATCH = 50, 500", "GPU_BATCH = 50, 501"),
        ("metrics/classification.py", "100.0 *", "1.0 *"),
        ("data/batches/subset.py", "_VALIDATION_STREAM = 1", "_VALIDATION_STREAM = 2"),
        ("bases/gaussian.py", "first * 2**i", "first * 3**i"),
    ],
)
def test_code_that_is_used_enters(
    module: str, old: str, new: str, copy: Copy, before: Callable[..., str]
) -> None:
    copy.edit(module, old, new)
    assert copy.digest() != before(RFNN)


def test_each_spec_has_its_own_code(copy: Copy, before: Callable[..., str]) -> None:
    copy.edit("training/closed_form.py", "BATCH = 250", "BATCH = 251")
    assert copy.digest(RFNN) == before(RFNN)
    assert copy.digest(SCATTERING) != before(SCATTERING)
    copy.edit("training/fixed_stage.py", "MOST_BYTES = 2**32", "MOST_BYTES = 2**33")
    volumes = spec_of("rfnin_3d", "oasis_ad126")
    assert copy.digest(RFNN) == before(RFNN)
    assert copy.digest(volumes) != before(volumes)


def test_moved_and_renamed_it_stays_the_same(copy: Copy, before: Callable[..., str]) -> None:
    specs = [RFNN, SCATTERING, BOUNDARIES]
    for old, new in {
        "nn._evaluation": "nn.ways",
        "models.mnist": "models.digits.nets",
        "training.loop": "training.gradient",
        "training.closed_form": "forms.fitting",
        "forms.classification": "training.labels",
        "training.checkpoint": "kept.states",
        "bases.gaussian": "bases.derivatives",
    }.items():
        copy.move(old, new)
    (copy.root / "forms" / "splits").rename(copy.root / "forms" / "divided")
    copy.replace(r"structnets\.forms\.splits\b", "structnets.forms.divided")
    for old, new in {
        "GradientTraining": "Descent",
        "epoch_order": "shuffled",
        "SeparableAtoms": "Atoms",
        "learning_rate": "rate_at",
        "WIDTH": "CHANNELS",
        "stream_seed": "mixed_seed",
    }.items():
        copy.replace(rf"\b{old}\b", new)
    assert copy.run(*specs) == [before(spec) for spec in specs]


def test_split_module_stays_the_same(copy: Copy, before: Callable[..., str]) -> None:
    """Half of a module's functions move to another, which its package re-exports."""
    file = copy.root / "data" / "batches" / "seeding.py"
    head, *parts = re.split(r"(?m)^(?=def )", file.read_text())
    (copy.root / "drawing").mkdir()
    (copy.root / "drawing" / "__init__.py").write_text(
        "from structnets.drawing.orders import epoch_order as order_of\n"
        "from structnets.drawing.orders import worker_part\n"
    )
    moved = [part for part in parts if part.startswith(("def epoch_order", "def worker_part"))]
    (copy.root / "drawing" / "orders.py").write_text(
        head + "from structnets.data.batches.seeding import stream_seed\n\n\n" + "".join(moved)
    )
    file.write_text(
        head
        + "from structnets.drawing import order_of as epoch_order, worker_part\n\n\n"
        + "".join(part for part in reversed(parts) if part not in moved)
    )
    assert copy.digest() == before(RFNN)
    copy.edit("drawing/orders.py", '"order"', '"sequence"')
    assert copy.digest() != before(RFNN)


def test_options_that_a_name_stands_for_enter() -> None:
    one, other = (code_digest(spec_of(name)) for name in ("rfnn_mnist", "rfnn_mnist_order3"))
    assert ENTRIES["rfnn_mnist"].constructor == ENTRIES["rfnn_mnist_order3"].constructor
    assert one != other


def test_every_model_form_and_loop_is_followed_to_its_definitions() -> None:
    digests = digesting.digests_of(frozenset({"structnets"}))
    for name in ENTRIES:
        digests.of(ENTRIES[name].constructor)
    for place in (place for places in ROOTS.values() for place in places):
        digests.of(place)
    for form in FORMS.values():
        digests.of(f"{form.source}:open_examples")
        digests.of(f"{form.task}:make_task")
    # Nothing is used in a way that only running it would tell.
    assert {type(node).__name__ for node in digests._forms} == {"Definition"}


def test_module_that_is_missing_is_named(copy: Copy) -> None:
    (copy.root / "forms" / "classification.py").unlink()
    with pytest.raises(ModuleNotFoundError, match=r"structnets\.forms\.classification"):
        copy.digest()


@pytest.fixture
def made_nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an installed package with a model; it cannot be imported."""
    folder = tmp_path / "site" / "made_nets"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "net.py").write_text(
        "from structnets.nn import GaussianConv2d\nfrom .parts import width\n\n"
        "def net(num_classes=10):\n    return GaussianConv2d(1, width())\n"
    )
    (folder / "parts.py").write_text("def width():\n    return 3\n")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def test_model_of_another_package_is_followed(made_nets: Path, tmp_path: Path) -> None:
    spec = spec_of("made_nets.net:net")

    def digest(library: Path = LIBRARY) -> str:
        packages = {"structnets": [library], "made_nets": [made_nets]}
        return code_digest(spec, Digests(Library(packages, ASIDE)))

    first = digest()
    assert first == code_digest(spec), "found as it is installed"
    copy = Copy(tmp_path)
    copy.edit("nn/gaussian_conv.py", "self.way = way", "self.way = way; self.x = 1")
    assert digest(copy.root) != first, "it uses the library"
    (made_nets / "parts.py").write_text("def width():\n    return 4\n")
    assert digest() != first


def test_whatever_a_spec_names_is_followed(made_nets: Path) -> None:
    """A frame among the options, or a model's entry, of a package that is not imported."""
    (made_nets / "parts.py").write_text(
        "from structnets.models.entries import ModelEntry\n"
        "def width():\n    return 3\n"
        "ENTRY = ModelEntry('made_nets.net:net', options=(('num_classes', 3),))\n"
    )
    specs = spec_of("resnet20"), spec_of("made_nets.parts:ENTRY")
    specs[0]["model"]["options"] = {"frame": "made_nets.parts:width"}
    digesting.digests_of.cache_clear()  # of the packages of other tests
    before = [code_digest(spec) for spec in specs]
    (made_nets / "parts.py").write_text(
        (made_nets / "parts.py").read_text().replace("return 3", "return 4")
    )
    digesting.digests_of.cache_clear()
    after = [code_digest(spec) for spec in specs]
    assert all(new != old for new, old in zip(after, before, strict=True))


def test_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="there is no package 'no_such_nets'"):
        code_digest(spec_of("no_such_nets.net:net"))
    with pytest.raises(ValueError, match="unknown model 'no_such_net'"):
        code_digest(spec_of("no_such_net"))


def test_ledger_states_editions() -> None:
    """Lines of the first edition, which were stale when it ended, have a digest without one."""
    for line in read_ledger(WORKFLOW / "ledger").values():
        assert re.fullmatch(r"(2:)?[0-9a-f]{64}", line["code_digest"])
