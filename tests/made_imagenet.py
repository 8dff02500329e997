"""ImageNet in its original layouts, made small: folders become archives, classes are synthetic."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

WNIDS = ("n00000003", "n00000001", "n00000002")


def encoded(
    seed: int = 0, size: tuple[int, int] = (40, 30), mode: str = "RGB", kind: str = "JPEG"
) -> bytes:
    """Return an encoded image of noise, (width, height) pixels."""
    from PIL import Image

    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values).convert(mode).save(stream, kind)
    return stream.getvalue()


def write_tree(root: Path, classes: dict[str, dict[str, bytes]]) -> None:
    """Write a folder of files for each class."""
    for wnid, files in classes.items():
        (root / wnid).mkdir(parents=True)
        for name, content in files.items():
            (root / wnid / name).write_bytes(content)


def made_classes(images: int = 4, start: int = 0) -> dict[str, dict[str, bytes]]:
    """Return three classes; the one with the fewest images has the most bytes."""
    found = {}
    for label, wnid in enumerate(WNIDS):
        size = (120, 90) if label == 0 else (24 + 8 * label, 24)
        number = images if label else 2
        found[wnid] = {
            f"{wnid}_{index}.JPEG": encoded(start + 10 * label + index, size)
            for index in range(number)
        }
    return found
