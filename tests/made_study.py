"""A small study of made pictures, trained for a few steps without Ray."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from structnets.data.sets.preparation import Preparation
from structnets.forms.writing import prepare
from structnets.identity import prepared_name
from structnets.reporting.study_plan import StudyPlan, lists_folder, plan_study
from structnets.specs.configuration import Configuration
from structnets.training.run import run_spec

ROWS = [
    {"model": "resnet20", "label": "structured", "options": {"frame": "gaussian"}},
    {"model": "resnet20", "label": "plain <b>"},
]


@dataclass(frozen=True)
class MadeStudy:
    """Where a study lies."""

    root: Path
    file: Path
    planned: StudyPlan

    @property
    def results(self) -> Path:
        """Root of its results."""
        return self.root / "results"

    @property
    def prepared(self) -> Path:
        """Folder of its prepared pictures."""
        return self.root / "prepared" / prepared_name(self.planned.runs[0].spec["data"])

    @property
    def run(self) -> Path:
        """Folder of its first run."""
        return self.results / "runs" / self.planned.runs[0].run_id


def write_pictures(root: Path, each: int = 8) -> Path:
    """Write stripes across and stripes along as PNG and JPEG, grey and in colour, in two classes.

    One is torn, and in the training split. The name of the second class has to be escaped in HTML.
    """
    random = np.random.Generator(np.random.PCG64(0))
    for label in ("across", "<i>along"):
        (root / label).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            wave = 100 + 80 * np.sin(np.arange(60) * (0.5 + 0.1 * number))[:, None]
            pixels = wave + random.normal(0, 20, (60, 60))
            pixels = pixels if label == "across" else pixels.T
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image = image if number % 2 else image.convert("RGB").resize((90, 70))
            image.save(root / label / f"{number}.{'png' if number % 3 else 'jpg'}")
    whole = (root / "across" / "1.png").read_bytes()
    (root / "across" / "torn.png").write_bytes(whole[: len(whole) // 2])
    return root


def write_study(root: Path, images: Path | None, **more: object) -> Path:
    """Write the file of a study that takes a second to train."""
    content = {
        "study": "stripes",
        "question": "Which way do they go?",
        "images": images and str(images),
        "pictures": {"side": 40, "crop": 32},
        "rows": ROWS,
        "train_sizes": [4, "all"],
        "seeds": 2,
        "recipe": {"steps": 2, "batch_size": 4},
        **more,
    }
    file = root / "study.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def make_study(root: Path, **more: object) -> MadeStudy:
    """Write, prepare and train a study of two classes below `root`."""
    return train_study(root, write_pictures(root / "pictures"), **more)


def train_study(root: Path, images: Path | None = None, **more: object) -> MadeStudy:
    """Write, prepare and train a study below `root`."""
    file = write_study(root, images, **more)
    planned = plan_study(Configuration(study=str(file), scratch=str(root / "scratch")))
    assert planned is not None
    study, data = MadeStudy(root, file, planned), planned.runs[0].spec["data"]
    lists = lists_folder(root / "scratch")
    prepare(Preparation(data["name"], data["prepare"], lists), study.prepared)
    for run in planned.runs:
        out, work = study.results / "runs" / run.run_id, root / "scratch" / "runs" / run.run_id
        run_spec(run.spec, study.prepared, out, work)
    return study
