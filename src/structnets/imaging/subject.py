"""One subject from scan to MNI152: read, correct, register, strip, normalise, measure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from structnets.imaging import quality
from structnets.imaging.bias_field import correct_bias
from structnets.imaging.flirt import register_with_flirt
from structnets.imaging.intensity import as_bytes, normalize, refuse_negative
from structnets.imaging.registration import Registration, refine, register
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume, is_registered, read_volume
from structnets.imaging.warping import strip_skull, to_mni

_TOOLS = {"simpleitk": register, "flirt": register_with_flirt}
# An affine brain misses the subject's own edge by some millimetres.
_STRIP_MARGIN_MM = 6.0


@dataclass(frozen=True)
class Steps:
    """What is done to a scan in native space.

    Attributes
    ----------
    bias_field : bool
        Correct slow intensity changes by N4.
    strip : bool
        Blank what lies outside the template's brain, then register once more without it.
    registration : {"simpleitk", "flirt"}
        What finds the affine; flirt has to be on the PATH.
    """

    bias_field: bool = True
    strip: bool = True
    registration: str = "simpleitk"

    def __post_init__(self) -> None:
        if self.registration not in _TOOLS:
            allowed = ", ".join(_TOOLS)
            raise ValueError(f"registration must be one of {allowed}, got {self.registration!r}")


@dataclass(frozen=True)
class PreparedSubject:
    """A subject on the MNI152 2 mm grid.

    Attributes
    ----------
    volume : numpy.ndarray
        (91, 109, 91) uint8, scaled as `structnets.imaging.intensity.normalize` does.
    facts : dict
        Plain JSON: ``already_registered``, ``matrix`` (4 rows, from MNI152 to the subject, mm;
        None if it came registered), ``method``, ``information``, ``starts``, ``quality`` (see
        `structnets.imaging.quality.measure`), ``cut_off`` (the part of its own brain that
        stripping took; None if it was not stripped), ``stored_axes`` and ``problems``.
    whole : numpy.ndarray
        (91, 109, 91) float32, the same before anything was cut off.
    own : numpy.ndarray
        (91, 109, 91) bool, the subject's own brain.
    native : Volume
        The scan as it was read.
    """

    volume: np.ndarray
    facts: Mapping[str, Any]
    whole: np.ndarray
    own: np.ndarray
    native: Volume


def prepare_subject(
    path: str | os.PathLike[str], steps: Steps | None = None, *, axes: str | None = None
) -> PreparedSubject:
    """Bring one scan to MNI152 and measure how well it lies there.

    A scan whose shape and affine are those of the MNI152 2 mm grid was registered by others:
    it is measured, and stored as it is if its values are bytes, else normalised.

    Parameters
    ----------
    path : path
        The scan, as `structnets.imaging.volumes.read_volume` takes it.
    steps : Steps, optional
        What is done in native space.
    axes : str, optional
        Directions of the voxel axes of a file that does not state them.

    Returns
    -------
    PreparedSubject
        The same input gives the same bytes.

    Raises
    ------
    ValueError
        If the scan cannot be read, as `read_volume` says, if much of it is below zero, or if a
        step leaves nothing; the message names the file.
    FileNotFoundError
        If `steps` ask for flirt and it is not on the PATH.
    """
    steps = steps or Steps()
    try:
        scan = read_volume(path, axes=axes)
    except OSError as error:
        # Of this scan alone, unlike a missing tool: others can go on.
        raise ValueError(str(error)) from error
    try:
        refuse_negative(scan.data)
        if is_registered(scan):
            return _measured(scan, as_bytes(scan.data), scan.data, None, stripped=False)
        found, clean = _registered(scan, steps)
        whole = to_mni(clean, found.matrix)
        volume = normalize(whole, inside=load_template().mask if steps.strip else None)
        return _measured(scan, volume, whole, found, stripped=steps.strip)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _registered(scan: Volume, steps: Steps) -> tuple[Registration, Volume]:
    """Register a native scan; return also the scan without its bias field."""
    clean = correct_bias(scan) if steps.bias_field else scan
    found = _TOOLS[steps.registration](clean)
    if steps.strip and steps.registration == "simpleitk":
        found = refine(strip_skull(clean, found.matrix, _STRIP_MARGIN_MM), found)
    return found, clean


def _measured(
    scan: Volume,
    volume: np.ndarray,
    whole: np.ndarray,
    found: Registration | None,
    *,
    stripped: bool,
) -> PreparedSubject:
    own = quality.brain_of(whole)
    measured = quality.measure(whole, None if found is None else found.matrix, own)
    lost = quality.cut_off(own) if stripped else None
    facts = {
        "already_registered": found is None,
        "matrix": None if found is None else found.matrix.tolist(),
        "method": None if found is None else found.method,
        "information": None if found is None else found.information,
        "starts": {} if found is None else dict(found.starts),
        "quality": measured,
        "cut_off": lost,
        "stored_axes": scan.stored_axes,
        "problems": quality.problems(measured) + quality.cut_problems(lost or 0.0),
    }
    return PreparedSubject(volume, facts, whole, own, scan)
