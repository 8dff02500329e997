"""A small study of made pictures with labels: a red square, a green one, both, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.made_study import MadeStudy, train_study

ROWS = [{"model": "resnet20", "label": "plain <b>"}]
LABEL, GREEN = "things <seen>", "<i>green"
SETS = ("red", GREEN, f"{GREEN};red", "none")


def write_labels(root: Path, count: int = 48, broken: bool = True) -> Path:
    """Write pictures of 40 pixels, and a table of the squares in them; one picture is torn."""
    (root / "pictures").mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.PCG64(0))
    lines = [f"path,{LABEL},split"]
    for number in range(count):
        labels = SETS[number % 4]
        pixels = random.normal(60, 5, (40, 40, 3))
        for channel, name in enumerate(("red", GREEN)):
            if name in labels.split(";"):
                pixels[8:32, 8:32, channel] += 120
        name = f"{number:02d}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "pictures" / name)
        lines.append(f"pictures/{name},{labels},{'test' if number % 12 < 4 else 'train'}")
    if broken:
        whole = (root / "pictures/02.png").read_bytes()
        (root / "pictures/torn.png").write_bytes(whole[: len(whole) // 2])
        lines.append("pictures/torn.png,red,train")
    table = root / "things.csv"
    table.write_text("\n".join(lines))
    return table


def make_label_study(root: Path, **more: object) -> MadeStudy:
    """Write, prepare and train a study of labels below `root`."""
    table = write_labels(root)
    asked = {"kind": "multilabel", "label": LABEL, "table": str(table)}
    settings = {"study": "things", "rows": ROWS, "train_sizes": [8, "all"], **more}
    return train_study(root, **asked, **settings)
