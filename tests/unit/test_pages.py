"""The code on the pages of the documentation runs, and its commands are ones that exist."""

import importlib.util
import re
import shlex

import pytest
import yaml

from structnets.cli.commands import COMMANDS
from structnets.cli.parsing import parser_of
from structnets.specs.target import load_targets
from tests.unit.test_documents import ROOT

DOCS = ROOT / "docs"
BY_OTHERS = ("extending.md",)  # tests/unit/test_extending.py
PAGES = [
    page for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) if page.name not in BY_OTHERS
]
# The code of that page needs a trained net: tests/unit/prediction/test_page.py.
OF_TRAINED = ("own_pictures.md",)
WITH_PYTHON = [
    page for page in PAGES if "\n```python\n" in page.read_text() and page.name not in OF_TRAINED
]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Programs that are not ours; what they are given is theirs to say.
OTHERS = {"cd", "export", "git", "mlflow", "pip", "printf", "read", "source", "sudo", "torchrun"}
RULES = re.compile(r"^rule (\w+):|^\s+name:\s+\"(\w+)\"", re.MULTILINE)
_spec = importlib.util.spec_from_file_location("executed", DOCS / "executed.py")
assert _spec is not None
assert _spec.loader is not None
executed = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(executed)


def name(page):
    return page.relative_to(ROOT).as_posix()


def as_words(text):
    """What is said with numbers left out, and the numbers."""
    return NUMBER.sub("#", text), [float(number) for number in NUMBER.findall(text)]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_code_of_a_page_runs_and_prints_what_it_says(page, tmp_path):
    text = page.read_text()
    printed = executed.outputs(text, tmp_path)
    drawn = set(executed.PICTURE.findall(text))
    assert {one for one in drawn if not (tmp_path / one).is_file()} == set()
    assert {one for one in drawn if not (page.parent / "figures" / one).is_file()} == set()
    if page.name == "README.md":
        return  # it is short, and shows no output
    for said, now in zip(executed.stored(text), printed, strict=True):
        words, numbers = as_words(said)
        words_now, numbers_now = as_words(now)
        assert words_now == words, "run `make tutorials`"
        # Other machines round otherwise, and a training magnifies it.
        assert numbers_now == pytest.approx(numbers, rel=0.08, abs=3 if "%" in said else 1e-3)


def commands(text):
    """The calls in `sh` blocks, one a line; a line that ends in a backslash goes on."""
    for language, content in BLOCK.findall(text):
        if language == "sh":
            for line in re.split(r"&&|\n", content.replace("\\\n", " ")):
                words = shlex.split(line, comments=True)
                while words and re.match(r"[A-Z_]+=", words[0]):
                    words = words[1:]
                if words:
                    yield words


@pytest.fixture(scope="module")
def askable():
    rules = {
        next(filter(None, found))
        for file in (ROOT / "workflow").rglob("*")
        if file.name == "Snakefile" or file.suffix == ".smk"
        for found in RULES.findall(file.read_text())
    }
    return rules | set(load_targets(ROOT / "workflow" / "targets").all)


def fault_of(words, askable):
    """What is wrong with a call, or nothing."""
    program, *rest = words
    if program == "structnets":
        command = COMMANDS.get(rest[0])
        if command is None:
            return f"there is no command {rest[0]}"
        if not command.checkout and "--help" not in rest:
            parser_of(rest[0], command).parse_args(rest[1:])
    elif program == "make":
        known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return f"make has no {rest[0]}" if rest[0] not in known else ""
    elif program == "snakemake":
        return fault_of_workflow(rest, askable)
    elif program == "python":
        if rest[0].startswith("kit/"):
            return ""  # `make gpu-kit` writes it
        file = rest[1].replace(".", "/") + ".py" if rest[0] == "-m" else rest[0]
        return "" if (ROOT / file).exists() or (ROOT / "src" / file).exists() else f"no {file}"
    elif program not in OTHERS:
        return f"{program} is no program that these pages may name"
    return ""


def fault_of_workflow(rest, askable):
    values = {"--profile", "-s", "--set-resources"}
    asked = []
    for before, word in zip(["", *rest], rest, strict=False):
        if (
            before == "--profile"
            and not (ROOT / word).exists()
            and not (ROOT / "profiles" / word).exists()
        ):
            return f"no profile {word}"
        if not word.startswith("-") and before not in values and "=" not in word:
            asked.append(word)
    wrong = [word for word in asked if word not in askable]
    return f"no targets {wrong}" if wrong else ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_of_a_page_exist(page, askable):
    wrong = {" ".join(words): fault_of(words, askable) for words in commands(page.read_text())}
    assert {call: fault for call, fault in wrong.items() if fault} == {}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_named_in_a_sentence_exist(page):
    named = set(re.findall(r"`structnets ([a-z][a-z-]*)", page.read_text()))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_of_a_kind_that_is_checked(page):
    kinds = {kind for kind, _ in BLOCK.findall(page.read_text())}
    allowed = {"python", "sh", "text", "yaml", "pycon", "{toctree}", "{eval-rst}"}
    assert {kind for kind in kinds if not kind.startswith("{include}")} <= allowed
    for kind, content in BLOCK.findall(page.read_text()):
        if kind == "yaml":
            assert yaml.safe_load(content)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("structnets modelz", "there is no command modelz"),
        ("make dmeo", "make has no dmeo"),
        ("snakemake --profile profiles/local tabel7", "no targets ['tabel7']"),
        ("snakemake --profile slrum all", "no profile slrum"),
        ("python -m pipelines.traim", "no pipelines/traim.py"),
        ("curl x", "curl is no program that these pages may name"),
    ],
)
def test_a_wrong_call_is_seen(call, fault, askable):
    assert fault_of(call.split(), askable) == fault


def test_every_page_is_in_the_site():
    """Sphinx says so, too; this is sooner."""
    listed = set()
    for page in DOCS.rglob("*.md"):
        for kind, content in BLOCK.findall(page.read_text()):
            if kind == "{toctree}":
                for line in content.splitlines():
                    if line and not line.startswith(":"):
                        listed.add((page.parent / f"{line}.md").resolve())
    assert {page for page in DOCS.rglob("*.md")} == listed | {DOCS / "index.md"}
