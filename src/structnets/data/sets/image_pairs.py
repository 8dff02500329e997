"""Pairs of faces and of textures, between which Figure 20 interpolates.

The thesis took the Basel face model, the describable textures and ImageNet; here faces are those
of the Olivetti Research Laboratory and textures KTH-TIPS, or scikit-image's built-in ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from structnets.data.sets.textures import load_textures
from structnets.foreign.pictures import open_picture

_APART = 4  # pictures of a person that lie so far apart in the collection differ in pose


class Pair(NamedTuple):
    """Two images, (C, H, W) in [0, 1]."""

    label: str
    first: Tensor
    second: Tensor


def face_pairs(data_root: Path | None, count: int, channels: int, side: int) -> list[Pair]:
    """Return pairs of pictures of one person each.

    Parameters
    ----------
    data_root : Path or None
        Its ``faces_orl/<person>/<number>.pgm`` are read; None takes scikit-image's small faces,
        whose pairs are of different people.
    count : int
        Pairs.
    channels, side : int
        Of the square images; grey is repeated.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    ValueError
        If there are too few pictures, or one is damaged.
    """
    if data_root is None:
        from skimage.data import lfw_subset

        faces = np.asarray(lfw_subset())[: 2 * count]
        pairs = [("faces", faces[2 * i], faces[2 * i + 1]) for i in range(count)]
    else:
        pairs = _orl(data_root / "faces_orl", count)
    return [Pair(name, *(_fitted(p, channels, side) for p in (a, b))) for name, a, b in pairs]


def texture_pairs(data_root: Path | None, count: int, channels: int, side: int) -> list[Pair]:
    """Return pairs of textures of two classes each; see `face_pairs` for the parameters."""
    classes = load_textures(data_root).classes
    names = list(classes)
    if 2 * count > len(names) + 1:
        raise ValueError(
            f"{count} pairs of textures need {2 * count - 1} classes, got {len(names)}"
        )
    return [
        Pair(
            f"{names[2 * i]} –\n{names[(2 * i + 1) % len(names)]}",
            _fitted(classes[names[2 * i]][0], channels, side),
            _fitted(classes[names[(2 * i + 1) % len(names)]][0], channels, side),
        )
        for i in range(count)
    ]


def _orl(folder: Path, count: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing: unpack the faces of the Olivetti Research Laboratory there, a "
            "folder per person, or set built_in"
        )
    people = sorted(
        (p for p in folder.iterdir() if p.is_dir()), key=lambda p: (len(p.name), p.name)
    )
    if len(people) < count:
        raise ValueError(f"{folder} has {len(people)} people; {count} pairs need as many")
    pairs = []
    for person in people[:count]:
        files = sorted(person.glob("*.pgm"), key=lambda p: (len(p.name), p.name))
        if len(files) <= _APART:
            raise ValueError(f"{person} has {len(files)} pictures; more than {_APART} are needed")
        pairs.append((f"face {person.name}", read_pgm(files[0]), read_pgm(files[_APART])))
    return pairs


def read_pgm(path: Path) -> np.ndarray:
    """Read a grey image of 8 bits as (H, W) float64 in 0..1.

    Raises
    ------
    ValueError
        If it is damaged or of another kind.
    """
    image = open_picture(path, "PPM", path)
    if image.mode != "L":
        raise ValueError(f"{path} has mode {image.mode}; 8-bit grey is needed")
    return np.asarray(image, dtype=np.float64) / 255


def _fitted(image: np.ndarray, channels: int, side: int) -> Tensor:
    """Cut out the central square, resize it and repeat it over the channels."""
    least = min(image.shape)
    top, left = ((size - least) // 2 for size in image.shape)
    square = torch.from_numpy(np.ascontiguousarray(image[top : top + least, left : left + least]))
    resized = functional.interpolate(
        square.float()[None, None], (side, side), mode="bilinear", antialias=True
    )
    return resized[0].clamp(0, 1).expand(channels, side, side).clone()
