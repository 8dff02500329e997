"""Figures that need no training."""

import subprocess
import sys

import pytest

from structnets.figures.drawing import draw
from structnets.figures.entries import FIGURES, FigureEntry

DRAWN = [name for name in FIGURES.names() if FIGURES.find(name).drawn]


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_drawn_with_the_endings_it_promises(tmp_path, name):
    files = draw(name, tmp_path / name, title="T")
    assert [file.name for file in files] == [f"{name}.{end}" for end in FIGURES.find(name).files]
    assert all(file.stat().st_size for file in files)


def test_listing_them_imports_nothing_heavy():
    code = (
        "import sys, structnets.figures.entries; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_constructor_is_there():
    for name in FIGURES.names():
        assert callable(FIGURES.load(FIGURES.find(name))), name


def test_unknown_figure_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match=r"unknown figure 'frame_atom' \(did you mean frame_atoms"):
        draw("frame_atom", tmp_path / "f", title="")


def test_figure_of_networks_is_no_drawing(tmp_path):
    with pytest.raises(ValueError, match="stability is measured; its target is of kind analysis"):
        draw("stability", tmp_path / "f", title="")


def test_files_that_were_not_promised_are_named(tmp_path, monkeypatch):
    entry = FigureEntry(FIGURES.find("frames_plane").constructor, files=("svg", "png"))
    monkeypatch.setitem(FIGURES._registered, "more", entry)
    with pytest.raises(
        ValueError, match=r"wrote f\.svg, f\.png, f\.csv; its entry promises f\.svg"
    ):
        draw("more", tmp_path / "f", title="")


def test_filters_come_from_the_weights_given(tmp_path, monkeypatch):
    import torch

    def drawn(stem):
        return draw("googlenet_filters", tmp_path / stem, title="T")[0].read_text()

    weights = {"conv1.weight": torch.randn(4, 3, 7, 7), "head.weight": torch.randn(2, 4)}
    torch.save(weights, tmp_path / "net.pth")
    without = drawn("without")
    monkeypatch.setenv("STRUCTNETS_GOOGLENET", str(tmp_path / "net.pth"))
    assert drawn("with") != without
    torch.save({"head.weight": torch.randn(2, 4)}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match="no convolution kernel wider than a pixel"):
        drawn("with")


def test_responses_of_a_ramp_are_its_slopes():
    import numpy as np

    from structnets.figures.brain_responses.draw import _SIGMA, responses

    x, y, z = np.indices((13, 13, 13))
    middle = responses(3.0 * x + 5.0 * y + 7.0 * z)[:, 6, 6, 6]
    # Derivatives are multiplied by the scale; sampled ones of an even order do not quite sum to 0.
    assert middle[:3] == pytest.approx([15 * 6, 3 * _SIGMA, 5 * _SIGMA], rel=1e-2)
    assert abs(middle[3]) < 0.01 * middle[0]
