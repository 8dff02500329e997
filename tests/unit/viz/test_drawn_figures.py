"""Figures that need no training."""

import subprocess
import sys

import pytest

from structnets.viz.drawn_figures import FIGURES, draw, endings


@pytest.mark.parametrize("target", FIGURES)
def test_every_figure_is_drawn_with_the_endings_it_promises(tmp_path, target):
    files = draw(target, tmp_path / target)
    assert [file.name for file in files] == [f"{target}.{end}" for end in endings(target)]
    assert all(file.stat().st_size for file in files)


def test_listing_them_imports_nothing_heavy():
    code = (
        "import sys, structnets.viz.drawn_figures; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_figure_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown figure 'figure1'; allowed: figure8, figure9"):
        draw("figure1", tmp_path / "f")
