"""Affine registration of one volume to MNI152 by mutual information, from several starts.

Mattes' mutual information is maximised inside the template's brain and a margin around it, so
that a head with its skull and an extracted brain both find their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.itk import one_thread, to_image, to_matrix, to_transform
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume

_SEED = 20170915
_BINS = 32
# Heads are mostly nodded against the template, so the starts differ in pitch.
_PITCHES_DEG = (-20.0, 0.0, 20.0)
_MARGIN_MM = 12


@dataclass(frozen=True)
class Registration:
    """How a volume lies in MNI152.

    Attributes
    ----------
    matrix : numpy.ndarray
        (4, 4), from points of MNI152 to points of the subject, RAS mm.
    information : float or None
        Mutual information reached on the 2 mm grid, in nats; None if the tool does not tell.
    method : str
        What found the matrix: ``simpleitk`` or ``flirt``.
    starts : mapping
        Mutual information that each start reached on the 8 mm grid; the highest went on.
    """

    matrix: np.ndarray
    information: float | None
    method: str
    starts: Mapping[str, float]


@one_thread()
def register(volume: Volume) -> Registration:
    """Register a volume to the template; the same input gives the same result.

    Parameters
    ----------
    volume : Volume
        A T1-weighted head or brain in native space.

    Returns
    -------
    Registration
        Seven parameters (rigid and one scale) are optimised on the 8 mm grid from every start,
        then twelve on 4 and 2 mm from the start with the highest mutual information.
    """
    coarse = _pair(volume, grid_mm=8, sampling=1.0)
    reached = {name: _coarse(coarse, matrix) for name, matrix in _starts(volume).items()}
    best = max(reached, key=lambda name: reached[name][0])
    information, matrix = _on_fine_grids(volume, reached[best][1])
    starts = {name: value for name, (value, _) in reached.items()}
    return Registration(matrix, information, "simpleitk", starts)


@one_thread()
def refine(volume: Volume, found: Registration) -> Registration:
    """Continue a registration on 4 and 2 mm with a volume that was cleaned since."""
    information, matrix = _on_fine_grids(volume, found.matrix)
    return Registration(matrix, information, found.method, found.starts)


@dataclass(frozen=True)
class _Pair:
    """Template, its widened brain mask and a volume, smoothed and sampled alike."""

    fixed: Any
    mask: Any
    moving: Any
    sampling: float

    def optimize(self, transform: Any, *, last_step_mm: float, steps: int) -> float:
        """Maximise mutual information over the parameters of `transform`, in place."""
        import SimpleITK

        method = SimpleITK.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(self.mask)
        method.SetInterpolator(SimpleITK.sitkLinear)
        if self.sampling < 1:
            method.SetMetricSamplingStrategy(method.RANDOM)
            method.SetMetricSamplingPercentage(self.sampling, _SEED)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, last_step_mm, steps)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(self.fixed, self.moving)
        return -float(method.GetMetricValue())


def _coarse(pair: _Pair, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Optimise seven parameters from one start."""
    import SimpleITK

    start = to_transform(matrix, _template_centre())
    transform = SimpleITK.Similarity3DTransform()
    transform.SetCenter(start.GetCenter())
    transform.SetMatrix(start.GetMatrix())
    transform.SetTranslation(start.GetTranslation())
    information = pair.optimize(transform, last_step_mm=0.05, steps=80)
    return information, to_matrix(transform)


def _on_fine_grids(volume: Volume, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    _, matrix = _affine(_pair(volume, grid_mm=4, sampling=1.0), matrix)
    return _affine(_pair(volume, grid_mm=2, sampling=0.3), matrix)


def _affine(pair: _Pair, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Optimise twelve parameters from `matrix`."""
    transform = to_transform(matrix, _template_centre())
    information = pair.optimize(transform, last_step_mm=0.002, steps=150)
    return information, to_matrix(transform)


def _pair(volume: Volume, *, grid_mm: float, sampling: float) -> _Pair:
    import SimpleITK

    template = load_template()
    fixed = _sampled(to_image(Volume(template.data, MNI_AFFINE)), grid_mm)
    brain = to_image(Volume(template.mask.astype(np.uint8), MNI_AFFINE))
    return _Pair(
        fixed,
        SimpleITK.BinaryDilate(brain, [_MARGIN_MM // 2] * 3),
        _sampled(to_image(volume), grid_mm),
        sampling,
    )


def _sampled(image: Any, grid_mm: float) -> Any:
    """Smooth an image and shrink it by whole factors to about `grid_mm`."""
    import SimpleITK

    spacing = image.GetSpacing()
    factors = [max(1, int(grid_mm / size + 0.1)) for size in spacing]
    if max(factors) == 1:
        return image
    sigmas = [0.5 * size * factor for size, factor in zip(spacing, factors, strict=True)]
    return SimpleITK.Shrink(SimpleITK.SmoothingRecursiveGaussian(image, sigmas), factors)


def _starts(volume: Volume) -> dict[str, np.ndarray]:
    """Return starting matrices: the header as it is, and matched centres at several pitches."""
    target = _template_centre()
    weight = np.clip(volume.data, 0, np.percentile(volume.data, 99))
    corner = np.array(volume.data.shape) - 1.0
    centres = {
        "centre of mass": centre_of_mass(weight, volume.affine),
        "middle": volume.affine[:3, :3] @ corner / 2 + volume.affine[:3, 3],
    }
    starts = {"header": np.eye(4)}
    for name, centre in centres.items():
        for degrees in _PITCHES_DEG:
            matrix = _pitch(degrees)
            matrix[:3, 3] = centre - matrix[:3, :3] @ target
            starts[f"{name}, pitch {degrees:+.0f}°"] = matrix
    return starts


def _pitch(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def _template_centre() -> np.ndarray:
    return centre_of_mass(load_template().mask, MNI_AFFINE)


def centre_of_mass(weight: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the centre of mass (3,) of a weight (X, Y, Z), in mm."""
    sums = [weight.sum(axis=(1, 2)), weight.sum(axis=(0, 2)), weight.sum(axis=(0, 1))]
    index = [float(line @ np.arange(line.size) / line.sum()) for line in sums]
    return affine[:3, :3] @ np.array(index) + affine[:3, 3]
