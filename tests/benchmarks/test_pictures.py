"""Pictures of one's own into shards: how many a second of processor time, of one core.

A study asks for 300 a second of pictures of at most 500 pixels on two cores, and for 60 of
photographs of 12 megapixels, which are decoded at a reduced scale (25 ms for 2 MB, 45 for 3.4).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from structnets.data.sets.pictures import ListedPicture, PictureList
from structnets.data.sets.preparation import Preparation
from structnets.files import sha256_file
from structnets.forms.writing import prepare

CORES = 2
SIDE = 56  # what a study stores unless it says otherwise


def listed(folder: Path) -> PictureList:
    """List the pictures of a folder, whose folders are classes; every fourth is for testing."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures = tuple(
        ListedPicture(
            path.relative_to(folder).as_posix(),
            path.stat().st_size,
            sha256_file(path),
            path.parent.name,
            "train" if number % 4 else "test",
        )
        for number, path in enumerate(paths)
    )
    return PictureList(str(folder), tuple(sorted({one.label for one in pictures})), pictures)


def rate(found: PictureList, place: Path) -> float:
    """Return pictures a second of processor time; reading files and writing shards are in it."""
    file = found.save(place / "lists")
    prepared = {"content": file.stem, "classes": len(found.classes), "geometry": f"short{SIDE}"}
    times = []
    for number in range(3):
        begun = time.process_time()
        prepare(Preparation("pictures", prepared, place / "lists"), place / f"{number}")
        times.append(time.process_time() - begun)
    return len(found.pictures) / min(times)


def told(what: str, found: float, asked: int) -> None:
    """Print what was measured."""
    of_all = f"{CORES * found:.0f} of {CORES} (asked: {asked})"
    print(f"\n{what}: {found:.0f} a second and core, {of_all}")


@pytest.mark.benchmark
def test_pictures_of_500_pixels(data_root: Path, tmp_path: Path) -> None:
    found = rate(listed(data_root / "imagenet/train"), tmp_path)
    told("pictures of at most 500 pixels", found, 300)


@pytest.mark.benchmark
@pytest.mark.parametrize("grain", [3, 6])
def test_photographs_of_12_megapixels(data_root: Path, tmp_path: Path, grain: float) -> None:
    """Of large files what libjpeg takes for their bits alone is more: there we are near to it."""
    sources = sorted((data_root / "imagenet/train").rglob("*.JPEG"))[:16]
    rng = np.random.default_rng(0)
    for number, path in enumerate(sources):
        with Image.open(path) as image:
            large = np.asarray(image.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC))
        noise = rng.normal(0, grain, (3000, 4000, 1))
        place = tmp_path / "photographs" / "ab"[number % 2] / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((large + noise).clip(0, 255).astype(np.uint8)).save(place, quality=90)
    photographs = listed(tmp_path / "photographs")
    found, files = rate(photographs, tmp_path), sorted((tmp_path / "photographs").rglob("*.jpg"))
    begun = time.process_time()
    for file in files:
        with Image.open(file) as image:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
            image.load()
    bare = len(files) / (time.process_time() - begun)
    megabytes = sum(file.stat().st_size for file in files) / len(files) / 1e6
    told(f"photographs of 12 megapixels ({megabytes:.1f} MB)", found, 60)
    print(f"decoding alone: {bare:.0f} a second and core")
