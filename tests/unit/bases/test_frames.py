"""Frames: reconstruction, bounds, rank and condition against known values, error paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from structnets.bases.frames import (
    FRAMES,
    Frame,
    build_frame,
    frame_name,
    framelet_frame,
    gauss15_frame,
    gaussian_frame,
    naive_frame,
    pixel_frame,
)
from structnets.bases.gaussian import GaussianBasis


@pytest.fixture
def filters() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((20, 3, 3))


@pytest.mark.parametrize("name", FRAMES.names())
def test_analysis_then_synthesis_is_the_filter(name: str, filters: np.ndarray) -> None:
    frame = build_frame(name)
    np.testing.assert_allclose(frame.synthesise(frame.analyse(filters)), filters, atol=1e-12)


@pytest.mark.parametrize("name", FRAMES.names())
def test_frame_inequality_holds_and_is_tight(name: str, filters: np.ndarray) -> None:
    frame = build_frame(name)
    lower, upper = frame.bounds
    energy = (np.einsum("fkl,mkl->fm", filters, frame.atoms) ** 2).sum(1)
    norms = (filters**2).sum((1, 2))
    assert (lower * norms <= energy * (1 + 1e-12)).all()
    assert (energy <= upper * norms * (1 + 1e-12)).all()
    eigenvalues = np.linalg.eigvalsh(frame.matrix.T @ frame.matrix)
    np.testing.assert_allclose([lower, upper], eigenvalues[[0, -1]], atol=1e-12)


def test_coefficients_of_an_overcomplete_frame_are_the_smallest(filters: np.ndarray) -> None:
    frame = build_frame("gauss15")
    coefficients = frame.analyse(filters)
    nothing = np.linalg.svd(frame.matrix.T)[2][-1]  # a combination that makes the zero filter
    np.testing.assert_allclose(frame.synthesise(nothing), 0, atol=1e-12)
    np.testing.assert_allclose(coefficients @ nothing, 0, atol=1e-12)


# Frame, number of atoms, rank, condition as given, bounds A and B of unit-norm atoms.
KNOWN = [
    (pixel_frame(), 9, 9, 1.0, 1.0, 1.0),
    (framelet_frame(), 9, 9, 2.0, 0.444, 1.778),
    (gaussian_frame(sigma=0.7), 9, 9, 3.8, 0.181, 2.48),
    (gaussian_frame(), 9, 9, 4.1, 0.158, 2.57),
    (gaussian_frame(sigma=1.0), 9, 9, 8.0, 0.058, 3.09),
    (gaussian_frame(sigma=1.5), 9, 9, 51, 0.002, 3.84),
    (naive_frame(), 9, 9, 10.4, 0.034, 3.30),
    (gauss15_frame(), 15, 9, 7.9, 0.28, 3.4),
]


@pytest.mark.parametrize(("frame", "atoms", "rank", "condition", "lower", "upper"), KNOWN)
def test_rank_condition_and_bounds(
    frame: Frame, atoms: int, rank: int, condition: float, lower: float, upper: float
) -> None:
    assert (len(frame), frame.rank) == (atoms, rank)
    assert frame.spans
    assert frame.condition == pytest.approx(condition, rel=0.02)
    assert frame.normalized().bounds == pytest.approx((lower, upper), rel=0.02, abs=5e-4)


@pytest.mark.parametrize(("chosen", "rank"), [([0, 1, 2, 3, 4, 5, 6, 8, 9], 8), (range(10), 8)])
def test_orders_to_three_do_not_span(chosen: Sequence[int], rank: int) -> None:
    """On three points the third derivative is parallel to the first, and xxyy is missing."""
    kernels = GaussianBasis(3, (0.8,), 3).kernels[list(chosen)]
    frame = Frame("by order", kernels, tuple(map(str, chosen)))
    assert (frame.rank, frame.bounds[0], frame.condition) == (rank, 0.0, math.inf)
    assert not frame.spans


def test_linear_framelets_by_hand() -> None:
    low, middle, high = framelet_frame().atoms.sum(1)[:3]  # the low pass along y sums to one
    np.testing.assert_allclose(low, np.array([1, 2, 1]) / 4)
    np.testing.assert_allclose(middle, np.sqrt(2) / 4 * np.array([1, 0, -1]))
    np.testing.assert_allclose(high, np.array([1, -2, 1]) / 4)
    assert low @ high == pytest.approx(-0.125)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
def test_framelet_spectra_sum_to_one(size: int) -> None:
    profiles = framelet_frame((1, size)).atoms[:, 0]
    power = np.abs(np.fft.fft(profiles, 64)) ** 2
    np.testing.assert_allclose(power.sum(0), 1, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 2), (5, 3), (4, 4), (7, 7)])
@pytest.mark.parametrize("name", ["pixel", "gaussian", "framelet"])
def test_frames_of_other_sizes_span(name: str, size: tuple[int, int]) -> None:
    frame = build_frame(name, size)
    assert frame.atoms.shape == (math.prod(size), *size)
    assert frame.spans
    np.testing.assert_allclose(np.linalg.norm(frame.matrix, axis=1), 1)


@pytest.mark.parametrize(("name", "size"), [("gauss15", (5, 5)), ("naive", (9, 9))])
def test_sizes_a_frame_cannot_span(name: str, size: tuple[int, int]) -> None:
    assert not build_frame(name, size).spans


def test_naive_atoms_by_hand() -> None:
    frame = naive_frame()
    assert frame.labels[:4] == ("m00", "m10", "m20", "m01")
    np.testing.assert_array_equal(frame.atoms[5], [[-1, 0, -1], [0, 0, 0], [1, 0, 1]])


def test_image_frame_alternates_gaussian_first() -> None:
    names = [frame_name("image", layer) for layer in range(3)]
    assert names == ["gaussian", "framelet", "gaussian"]
    assert frame_name("naive", 5) == "naive"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_frame("wavelet"), "unknown frame 'wavelet'; allowed: framelet, gauss15"),
        (lambda: frame_name("wavelet"), "allowed: framelet, .*: image"),
        (lambda: build_frame("pixel", (0, 3)), r"positive, got \(0, 3\)"),
        (lambda: Frame("mine", np.zeros((1, 3, 3)), ("a",)), "frame 'mine': .* none of them zero"),
        (lambda: Frame("mine", np.ones(3), ("a",)), r"shape \(M, K, L\).*, got \(3,\)"),
        (lambda: Frame("mine", np.ones((2, 3, 3)), ("a",)), "2 atoms need as many labels, got 1"),
    ],
)
def test_bad_arguments_are_named(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_frames_of_other_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_frames.py").write_text(
        "import numpy as np\n"
        "from structnets.bases.frames import Frame\n"
        "def scaled_pixels(kernel_size):\n"
        "    taps = kernel_size[0] * kernel_size[1]\n"
        "    atoms = 2 * np.eye(taps).reshape(taps, *kernel_size)\n"
        "    return Frame('scaled', atoms, tuple(map(str, range(taps))))\n"
        "def of_three(kernel_size):\n"
        "    return scaled_pixels((3, 3))\n"
        "def nothing(kernel_size):\n"
        "    return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    frame = build_frame("own_frames:scaled_pixels", (3, 2))
    np.testing.assert_array_equal(frame.atoms, np.eye(6).reshape(6, 3, 2))
    assert frame_name("own_frames:scaled_pixels", 3) == "own_frames:scaled_pixels"
    with pytest.raises(ValueError, match=r"atoms of \(3, 3\) pixels where \(5, 5\)"):
        build_frame("own_frames:of_three", (5, 5))
    with pytest.raises(TypeError, match="made None, not a Frame"):
        build_frame("own_frames:nothing")
    with pytest.raises(ValueError, match=r"own_frames has no 'missing'; alternating ones: image"):
        frame_name("own_frames:missing")
