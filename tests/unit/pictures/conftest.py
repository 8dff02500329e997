from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def make(tmp_path):
    """Make a folder of pictures that differ, from paths below it."""
    root, number = tmp_path / "pictures", iter(range(10_000))

    def write(*names: str) -> Path:
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.full((8, 8, 3), 0, np.uint8)
            count = next(number)
            pixels[0, 0] = (count % 256, count // 256, 7)
            Image.fromarray(pixels).save(path)
        return root

    return write


@pytest.fixture
def two_classes(make):
    """Ten cats and six dogs."""
    cats = [f"cat/{number}.png" for number in range(10)]
    return make(*cats, *(f"dog/{number}.png" for number in range(6)))
