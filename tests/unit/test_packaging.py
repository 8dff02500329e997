"""The lock, pyproject.toml, environment.yml, Makefile and documents agree with each other."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import structnets
from structnets.cli.commands import COMMANDS
from structnets.entries import load_path
from structnets.installation import EXTRAS
from tests.cluster.checkout import fresh_clone

ROOT = Path(__file__).parents[2]
LARGE = ("full", "cluster", "dev", "docs")
DOCUMENTS = ["README.md", "CHANGELOG.md", "CITATION.cff", "environment.yml", "Makefile", ".ci/run"]


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def lock() -> dict[str, Version]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (Requirement(line) for line in lines if line.strip() and not line.startswith("#"))
    return {canonicalize_name(pin.name): Version(str(pin.specifier)[2:]) for pin in pins}


@pytest.fixture(scope="module")
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def direct_dependencies(project: dict) -> list[Requirement]:
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    requirements = [Requirement(line) for line in lines]
    return [r for r in requirements if r.name != "structnets"]


def test_lock_satisfies_every_direct_dependency(project, lock):
    wrong = {
        str(requirement): str(lock.get(canonicalize_name(requirement.name), "not in the lock"))
        for requirement in direct_dependencies(project)
        if canonicalize_name(requirement.name) not in lock
        or lock[canonicalize_name(requirement.name)] not in requirement.specifier
    }
    assert wrong == {}, "run `make lock`"


def test_lock_names_versions_only():
    text = (ROOT / "requirements.lock").read_text()
    pins = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.match(r"[a-z0-9][\w.-]*==\S+( ;|$)", pin) for pin in pins)
    assert "://" not in text


def test_training_needs_torch_and_numpy_only(project):
    assert {Requirement(line).name for line in project["dependencies"]} == {"torch", "numpy"}


def contents(extra: str, extras: dict[str, list[str]]) -> set[str]:
    """Distributions of an extra, those of the extras in it included."""
    found: set[str] = set()
    for requirement in map(Requirement, extras[extra]):
        if requirement.name == "structnets":
            found |= set().union(*(contents(inner, extras) for inner in requirement.extras))
        else:
            found.add(canonicalize_name(requirement.name))
    return found


def test_extras_contain_each_other(project):
    extras = project["optional-dependencies"]
    sizes = {name: contents(name, extras) for name in extras}
    assert sizes["full"] < sizes["cluster"] < sizes["dev"] > sizes["docs"]
    assert all(sizes[name] < sizes["full"] for name in extras if name not in LARGE)


def test_errors_name_the_smallest_extra_that_helps(project):
    extras = project["optional-dependencies"]
    sizes = {name: contents(name, extras) for name in extras}
    owners = packages_distributions()
    named = set()
    for module, extra in EXTRAS.items():
        owner = next(n for o in owners[module] if (n := canonicalize_name(o)) in sizes["dev"])
        assert owner in sizes[extra]
        assert not any(owner in size and size < sizes[extra] for size in sizes.values()), module
        named.add(owner)
    assert sizes["full"] <= named


def test_conda_environment_uses_the_lock_and_its_python(project, environment, makefile):
    *conda, pip = environment["dependencies"]
    python = next(line for line in conda if line.startswith("python "))
    version = python.split("=")[1]
    assert version in SpecifierSet(project["requires-python"])
    assert f"--python-version {version}" in makefile
    assert pip["pip"] == ["--requirement requirements.lock", "--editable .[cluster]"]


def test_installed_commands_resolve():
    scripts = {entry.name: entry for entry in entry_points(group="console_scripts")}
    assert callable(scripts["structnets"].load())
    ours = [command.module for command in COMMANDS.values() if command.checkout]
    assert all(callable(load_path(f"{module}:command")) for module in ours)


def test_citation_names_software_and_thesis():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == structnets.__version__
    thesis = next(item for item in citation["references"] if item["type"] == "thesis")
    assert thesis["authors"][0]["family-names"] == "Jacobsen"
    assert thesis["institution"]["name"] == "University of Amsterdam"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_no_path_of_one_machine(document):
    places = re.findall(
        r"(?<![\w.~}>])/(?:home|mnt|root|tmp|work|Users)/\S*", (ROOT / document).read_text()
    )
    assert places == []


def test_readme_commands_are_targets(makefile):
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    asked = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= asked <= targets


def test_continuous_integration_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()


def test_no_large_file_is_committed():
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    sizes = {name: (ROOT / name).stat().st_size for name in listed if (ROOT / name).is_file()}
    assert {name: size for name, size in sizes.items() if size > 500_000} == {}


def test_readme_example_runs():
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names = {}
    exec(block, names)
    assert names["y"].shape == (8, 64, 32, 32)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    return fresh_clone(tmp_path_factory.mktemp("build") / "clone")


@pytest.fixture(scope="module")
def wheel(checkout) -> Path:
    words = ("wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", "out")
    pip(*words, cwd=checkout)
    (found,) = (checkout / "out").glob("*.whl")
    return found


def pip(*words: str, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", *words, "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_wheel_holds_structnets_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"structnets"}
    library = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "structnets").rglob("*")
        if path.suffix in (".py", ".html") or path.name == "py.typed"
    }
    assert {name for name in names if ".dist-info/" not in name} == library


@pytest.mark.slow
def test_the_wheel_leaves_other_people_s_packages_alone(wheel, tmp_path):
    """Somebody has packages called pipelines and workflow; both stay, also when we go."""
    theirs = {f"{name}/__init__.py": f"OWNER = '{name}'\n" for name in ("pipelines", "workflow")}
    for name, text in theirs.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    pip("install", "--no-deps", "--no-index", "--target", ".", str(wheel), cwd=tmp_path)
    assert {name: (tmp_path / name).read_text() for name in theirs} == theirs
    record = next(tmp_path.glob("structnets-*.dist-info")) / "RECORD"
    assert not re.search("(?m)^(pipelines|workflow|tests)/", record.read_text())
    code = "import pipelines, structnets.cli as c, sys; print(pipelines.OWNER); sys.exit(c.main())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    outcomes = []
    for words in (["--help"], ["audit"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith("pipelines\n")
        outcomes.append((done.returncode, len(done.stderr.splitlines())))
    assert outcomes == [(0, 0), (2, 1)]


@pytest.mark.slow
def test_the_source_distribution_holds_a_checkout(checkout):
    code = "from setuptools import build_meta; print(build_meta.build_sdist('out'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True
    )
    with tarfile.open(checkout / "out" / done.stdout.splitlines()[-1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.split()
    left_out = {name for name in listed if name not in names}
    assert {name for name in left_out if not name.startswith(".") and name != "slurm"} == set()
    assert {"CHANGELOG.md", "tests/unit/test_packaging.py", "pipelines/train.py"} <= names
    assert not {name for name in names if "__pycache__" in name}


def test_no_name_of_a_test_holds_bytes(request):
    # Processes that run tests side by side compare names; made archives hold the time.
    for item in request.session.items:
        for value in getattr(getattr(item, "callspec", None), "params", {}).values():
            if isinstance(value, bytes) and len(value) > 8:
                assert repr(value)[2:10] not in item.name
