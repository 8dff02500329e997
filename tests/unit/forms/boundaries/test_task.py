"""The task of boundaries: balanced loss by hand, scores of perfect and of turned predictions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from structnets.data.sets.boundary_split import BoundarySplit, pack_annotators
from structnets.forms.boundaries.images import BoundaryImages
from structnets.forms.boundaries.task import BoundaryDetection

CPU = torch.device("cpu")
SETTINGS = {"thresholds": 9, "max_distance": 0.02, "nms": "none"}


class Seer(nn.Module):
    """Reads the boundaries off the first channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 20 * x[:, :1] - 10


@pytest.fixture
def images() -> BoundaryImages:
    """Two images that show their boundaries, drawn by two annotators; the second one is upright."""
    labels = np.zeros((2, 40, 60), dtype=np.uint8)
    labels[0, 12], labels[1, :, 33] = 1, 1
    pixels = np.repeat(255 * labels[:, None], 3, axis=1)
    truths = np.repeat(labels, 2, axis=0) > 0
    items = [{"id": f"{n}", "transposed": n == 1, "annotators": 2} for n in range(2)]
    return BoundaryImages.of(BoundarySplit(pixels, labels, pack_annotators(truths), items))


def task(weight: float = 9.0, metric: str = "ods", **settings: float) -> BoundaryDetection:
    return BoundaryDetection(metric, weight, {**SETTINGS, **settings})


def test_loss_balances_classes_and_adds_up_images_and_maps() -> None:
    targets = torch.zeros(2, 1, 4, 5)
    targets[:, :, 0, :2] = 1  # one pixel in ten: nine off for each on
    logits = torch.zeros(2, 3, 4, 5)
    assert float(task().loss(logits, targets)) == pytest.approx(2 * 3 * math.log(2))
    logits = torch.randn(2, 1, 4, 5)
    errors = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    on, off = errors[targets > 0].mean(), errors[targets == 0].mean()
    assert float(task().loss(logits, targets)) == pytest.approx(float(on + off), rel=1e-5)


def test_loss_of_a_crop_without_boundaries_pushes_down() -> None:
    logits = torch.zeros(1, 1, 4, 4, requires_grad=True)
    task().loss(logits, torch.zeros(1, 1, 4, 4)).backward()
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_sparsity_is_that_of_the_released_h_net() -> None:
    targets = torch.zeros(1, 1, 4, 5)
    targets[:, :, 0, :2] = 1  # one pixel in ten, in the image as in the training set
    logits = torch.randn(1, 1, 4, 5)
    errors = functional.binary_cross_entropy_with_logits(
        logits, targets, pos_weight=torch.tensor(9.0)
    )
    mean = float(torch.sigmoid(logits).mean())
    released = float(errors) - 0.1 * math.log(mean) - 0.9 * math.log(1 - mean)
    ours, without = (float(task(sparsity=s).loss(logits, targets)) for s in (1.0, None))
    assert ours / without == pytest.approx(released / float(errors), rel=1e-5)


def test_classifiers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"answers \(2, 10\) .* it is no boundary detector"):
        task().loss(torch.zeros(2, 10), torch.zeros(2, 1, 4, 4))


def test_perfect_predictions_score_one(images: BoundaryImages) -> None:
    measured = task(metric="ois").measure(Seer().train(), images, CPU)
    assert {key: measured.metrics[key] for key in ("ods", "ois")} == {"ods": 1.0, "ois": 1.0}
    assert measured.metrics["loss"] < 1e-3
    details = measured.details["boundaries"]
    assert [image["id"] for image in details["images"]] == ["0", "1"]
    # Four annotators' lines: 60 pixels twice, 40 pixels twice.
    assert details["counts"][4] == [200, 200, 100, 100]
    assert details["settings"]["max_distance"] == 0.02


def test_benchmark_sees_upright_images_upright(
    images: BoundaryImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    from structnets.metrics.boundary import counting

    seen = []

    def count(strength, truths, settings):
        seen.append((strength.shape, truths[0].shape))
        return np.zeros((settings.thresholds, 4), dtype=np.int64)

    monkeypatch.setattr(counting, "count_matches", count)
    task().measure(Seer(), images, CPU)
    assert seen == [((40, 60), (40, 60)), ((60, 40), (60, 40))]
