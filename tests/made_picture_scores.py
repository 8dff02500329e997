"""A small study of made pictures with a score each: how bright their middle is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.made_study import MadeStudy, train_study

ROWS = [{"model": "resnet20", "label": "plain <b>"}]
LABEL = "weight <g>"


def write_table(root: Path, count: int = 40, broken: bool = True) -> Path:
    """Write pictures of 40 pixels, and a table of their weights, 50 to 50 + 2 * (count - 1).

    One picture is torn, and one has no weight.
    """
    (root / "pictures").mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.PCG64(0))
    lines = [f"path,{LABEL},split"]
    for number in range(count):
        pixels = random.normal(60, 5, (40, 40, 3))
        pixels[10:30, 10:30] += 4 * number
        name = f"{number:02d}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "pictures" / name)
        lines.append(f"pictures/{name},{50 + 2 * number},{'test' if number % 4 == 1 else 'train'}")
    whole = (root / "pictures/02.png").read_bytes()
    if broken:
        (root / "pictures/torn.png").write_bytes(whole[: len(whole) // 2])
        (root / "pictures/none.png").write_bytes(whole + b" ")
        lines += ["pictures/torn.png,60,train", "pictures/none.png,n/a,train"]
    table = root / "weights.csv"
    table.write_text("\n".join(lines))
    return table


def make_score_study(root: Path, **more: object) -> MadeStudy:
    """Write, prepare and train a study of a score below `root`."""
    table = write_table(root)
    asked = {"kind": "regression", "label": LABEL, "table": str(table)}
    settings = {"study": "weights", "rows": ROWS, "train_sizes": [12, "all"], **more}
    return train_study(root, **asked, **settings)
