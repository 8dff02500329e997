"""Figures that need no training."""

import subprocess
import sys

import pytest

from structnets.figures.drawn_figures import FIGURES, draw, endings


@pytest.mark.parametrize("target", FIGURES)
def test_every_figure_is_drawn_with_the_endings_it_promises(tmp_path, target):
    files = draw(target, tmp_path / target)
    assert [file.name for file in files] == [f"{target}.{end}" for end in endings(target)]
    assert all(file.stat().st_size for file in files)


def test_listing_them_imports_nothing_heavy():
    code = (
        "import sys, structnets.figures.drawn_figures; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_figure_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown figure 'figure99'; allowed: figure1, figure3"):
        draw("figure99", tmp_path / "f")


def test_filters_come_from_the_weights_given(tmp_path, monkeypatch):
    import torch

    weights = {"conv1.weight": torch.randn(4, 3, 7, 7), "head.weight": torch.randn(2, 4)}
    torch.save(weights, tmp_path / "net.pth")
    without = draw("figure3", tmp_path / "without")[0].read_text()
    monkeypatch.setenv("STRUCTNETS_GOOGLENET", str(tmp_path / "net.pth"))
    assert draw("figure3", tmp_path / "with")[0].read_text() != without
    torch.save({"head.weight": torch.randn(2, 4)}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match="no convolution kernel wider than a pixel"):
        draw("figure3", tmp_path / "with")
