"""A training past the fixed stage of a model is the training from its inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from structnets.data.batches.array_examples import Images
from structnets.data.batches.examples import Step
from structnets.forms.classification import Classification
from structnets.models.rfnin3d import rfnin_3d
from structnets.training import fixed_stage
from structnets.training.fixed_stage import FixedStage, past_fixed_stage
from structnets.training.loop import GradientTraining
from structnets.training.reporting import Progress

RECIPE = {
    "optimizer": {"name": "adam", "lr": 0.01},
    "schedule": {"name": "constant"},
    "epochs": 2,
    "batch_size": 3,
    "drop_last": False,
    "amp": None,
    "compile": False,
    "clip_norm": None,
    "augmentation": None,
    "evaluation": {"every": None, "split": "test", "validation_fraction": 0.0},
}
SPEC = {"model": {"name": "rfnin_3d"}, "recipe": RECIPE, "seed": 0}
CPU = torch.device("cpu")


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return rfnin_3d(width=1 / 16, voxel_mm=4.0, sigmas=(2.0, 4.0), scales=(2, 1, 1))


@pytest.fixture
def images() -> Images:
    volumes = np.random.default_rng(0).integers(0, 256, (5, 1, 9, 8, 10)).astype(np.uint8)
    return Images(volumes, np.arange(5) % 2, np.array([4, 1, 2, 3]))


def trained(model: torch.nn.Module, examples: object, folder: Path) -> list[float]:
    training = GradientTraining(
        SPEC, model, Classification(), examples, None, folder, {}, {}, Progress("test")
    )
    return [row["train_loss"] for row in training.run().curve]


def test_training_and_measuring_are_equal(model, images, tmp_path: Path) -> None:
    state = {key: value.clone() for key, value in model.state_dict().items()}
    examples = past_fixed_stage(model, images, SPEC)
    assert isinstance(examples, FixedStage)
    losses = trained(model, examples, tmp_path / "a")
    measured = Classification().measure(model, examples, CPU)
    model.load_state_dict(state)
    assert trained(model, images, tmp_path / "b") == pytest.approx(losses, rel=1e-5)
    again = Classification().measure(model, images, CPU)
    assert again.details["log_odds"] == pytest.approx(measured.details["log_odds"], rel=1e-3)


def test_each_example_passes_once(images: Images) -> None:
    seen: list[torch.Tensor] = []

    def stage(x: torch.Tensor) -> list[torch.Tensor]:
        seen.extend(x)
        return list(x[:, 0] + 1)

    examples = FixedStage(images, stage)
    batch = np.array([3, 0, 2, 1])
    steps = [Step(0, batch, slice(0, 2)), Step(1, batch, slice(1, 4)), Step(2, batch, slice(4, 4))]
    answers = list(examples.stream(steps, CPU))
    assert len(seen) == len(examples) == 4
    expected, labels = images.batch(np.array([0, 2, 1]), CPU)
    torch.testing.assert_close(torch.stack(list(answers[1][0])), expected[:, 0] + 1)
    assert answers[1][1].tolist() == labels.tolist()
    assert answers[2][0].shape == (0, 1, 9, 8, 10)


def test_augmented_or_too_large_examples_stay_as_they_are(model, images, monkeypatch) -> None:
    shifted = {"recipe": {**RECIPE, "augmentation": {"shift": 1, "flip": False}}}
    assert past_fixed_stage(model, images, shifted) is images
    assert past_fixed_stage(torch.nn.Linear(1, 1), images, SPEC) is images
    monkeypatch.setattr(fixed_stage, "MOST_BYTES", 1)
    assert past_fixed_stage(model, images, SPEC) is images
