"""The workflow is lint-clean, formatted, and keeps to its layout."""

import subprocess
import sys

from tests.made_results import REPOSITORY, WORKFLOW


def test_lint(snakemake):
    assert "good condition" in snakemake("--lint")


def test_formatting():
    done = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", "Snakefile", "workflow"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_entry_file_is_short():
    assert len((WORKFLOW / "Snakefile").read_text().splitlines()) <= 40
    assert len((REPOSITORY / "Snakefile").read_text().splitlines()) <= 5


def test_no_default_profile():
    # It would be loaded on every call and override the others key by key.
    assert not (REPOSITORY / "profiles" / "default").exists()
    assert (REPOSITORY / "slurm").readlink().as_posix() == "profiles/slurm"


def test_parsing_needs_no_torch():
    code = (
        "import sys; import structnets.reporting.plan; "
        "sys.exit(bool({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)
