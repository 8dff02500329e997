"""ImageNet in its original layouts, made small: folders become archives, classes are synthetic."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

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


def write_archives(
    folder: Path, train: dict[str, dict[str, bytes]], val: dict[str, dict[str, bytes]]
) -> None:
    """Write the three original archives; validation images are renamed and numbered."""
    folder.mkdir(parents=True, exist_ok=True)
    inner = {f"{wnid}.tar": tar_bytes(files) for wnid, files in train.items()}
    (folder / "ILSVRC2012_img_train.tar").write_bytes(tar_bytes(inner))
    images = [(wnid, content) for wnid, files in val.items() for content in files.values()]
    # Neighbours are of different classes, as in the original.
    images = images[::2] + images[1::2]
    numbered = {
        f"ILSVRC2012_val_{number:08d}.JPEG": content
        for number, (_, content) in enumerate(images, 1)
    }
    (folder / "ILSVRC2012_img_val.tar").write_bytes(tar_bytes(numbered))
    write_devkit(folder, sorted(val), [wnid for wnid, _ in images])


def write_devkit(folder: Path, wnids: list[str], truth: list[str]) -> None:
    """Write the development kit: a table of classes and the numbers of the images' classes."""
    from scipy.io import savemat

    # Numbers of classes do not follow the order of their ids, as in the original.
    number = {wnid: len(wnids) - place for place, wnid in enumerate(wnids)}
    kinds: Any = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O")]
    table = np.array([(number[wnid], wnid, "a thing") for wnid in wnids], dtype=kinds)
    stream = io.BytesIO()
    savemat(stream, {"synsets": table.reshape(-1, 1)})
    data = "ILSVRC2012_devkit_t12/data/"
    lines = "".join(f"{number[wnid]}\n" for wnid in truth).encode()
    members = {
        f"{data}ILSVRC2012_validation_ground_truth.txt": lines,
        f"{data}meta.mat": stream.getvalue(),
    }
    path = folder / "ILSVRC2012_devkit_t12.tar.gz"
    path.write_bytes(tar_bytes(members, mode="w:gz"))


def tar_bytes(files: dict[str, bytes], mode: str = "w") -> bytes:
    """Return a tar archive of some files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
