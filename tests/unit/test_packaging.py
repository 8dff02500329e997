"""The lock, pyproject.toml, environment.yml, Makefile and documents agree with each other."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import structnets

ROOT = Path(__file__).parents[2]
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


def test_extras_contain_each_other(project):
    extras = project["optional-dependencies"]
    assert "structnets[full]" in extras["cluster"]
    assert "structnets[cluster]" in extras["dev"]


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
    commands = entry_points(group="structnets.commands")
    assert {"audit"} <= commands.names
    assert all(callable(entry.load()) for entry in commands)


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
