"""Grey texture images by class: KTH-TIPS where it is given, scikit-image's built-in ones elsewhere.

The two splits share no pixel, so that what is measured on one was never seen in the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from structnets.data.originals.png import read_grey

Split = Literal["train", "test"]
_BUILT_IN = ("brick", "grass", "gravel")
_TRAIN_PART = 0.75  # of each built-in texture's width; of KTH-TIPS three images in four
_EVERY = 4
_EVERY_CLASS = 3


@dataclass(frozen=True)
class Textures:
    """Texture images of one split.

    Attributes
    ----------
    source : str
        ``kth_tips`` or ``scikit-image``.
    classes : mapping
        Class names and their images, each (H, W) float64 in 0..1.
    """

    source: str
    classes: Mapping[str, Sequence[np.ndarray]]

    @property
    def largest_window(self) -> int:
        """Side of the largest square that fits into every image."""
        return min(min(image.shape) for images in self.classes.values() for image in images)


def load_textures(data_root: str | os.PathLike[str] | None, split: Split = "train") -> Textures:
    """Read ``<data_root>/kth_tips_gray/<class>/*.png``, or the built-in brick, grass and gravel.

    Parameters
    ----------
    data_root : path or None
        Folder of all original data sets; None for the built-in textures.
    split : {"train", "test"}
        Every fourth image of a class of KTH-TIPS, and the right quarter of a built-in texture,
        is ``test``.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    ValueError
        If `split` is unknown, there are fewer than two classes, a class has fewer than four
        images, or a file is damaged.
    """
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}; allowed: {', '.join(get_args(Split))}")
    if data_root is None:
        return Textures("scikit-image", {name: [_built_in(name, split)] for name in _BUILT_IN})
    return Textures("kth_tips", _kth_tips(Path(data_root) / "kth_tips_gray", split))


def hold_out_classes(data_root: str | os.PathLike[str], split: Split) -> Textures:
    """Read KTH-TIPS as `load_textures` does, with whole classes in one split alone.

    Every third class is ``test``, with all its images; the others are ``train``. KTH-TIPS has one
    sample of each texture, so that another image of a class shows the same surface.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_textures`; also if fewer than two classes would be left for the test.
    """
    parts = [load_textures(data_root, part).classes for part in get_args(Split)]
    names = sorted(parts[0])
    held = names[_EVERY_CLASS - 1 :: _EVERY_CLASS]
    if len(held) < 2:
        raise ValueError(
            f"{Path(data_root)} has {len(names)} classes of textures, of which {len(held)} would "
            "be held out; two are needed, so give six classes or hold out photographs"
        )
    kept = held if split == "test" else [name for name in names if name not in held]
    classes = {name: [image for part in parts for image in part[name]] for name in kept}
    return Textures("kth_tips", classes)


def _kth_tips(folder: Path, split: Split) -> dict[str, list[np.ndarray]]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing: unpack the grey images of KTH-TIPS there, a folder per class, "
            "or take the built-in textures"
        )
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if len(folders) < 2:
        raise ValueError(f"{folder} has {len(folders)} classes of textures; at least 2 are needed")
    classes = {}
    for place in folders:
        files = sorted(place.glob("*.png"))
        if len(files) < _EVERY:
            raise ValueError(f"{place} has {len(files)} PNG images; at least {_EVERY} are needed")
        kept = [n for n in range(len(files)) if (n % _EVERY == _EVERY - 1) == (split == "test")]
        classes[place.name] = [read_grey(files[n]) for n in kept]
    return classes


def _built_in(name: str, split: Split) -> np.ndarray:
    from skimage import data

    image = np.asarray(getattr(data, name)()) / 255
    border = int(image.shape[1] * _TRAIN_PART)
    return image[:, :border] if split == "train" else image[:, border:]
