"""Measuring a model: by hand, over batches, in evaluation mode."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from structnets.data.batches.array_examples import Images
from structnets.forms import classification
from structnets.forms.classification import Classification

CPU = torch.device("cpu")
measure = Classification().measure


class Brightness(nn.Module):
    """Logits (0, 20 x - 10): class 1 for bright images; in training mode always class 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = 20 * x.mean((1, 2, 3)) - 10
        return torch.stack(
            [torch.zeros_like(level), level if not self.training else -9 + 0 * level], 1
        )


def images(levels: list[int], labels: list[int]) -> Images:
    pixels = np.full((len(levels), 1, 2, 2), 0, dtype=np.uint8)
    pixels += np.array(levels, dtype=np.uint8)[:, None, None, None]
    return Images(pixels, np.array(labels), np.arange(len(levels)))


def test_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    many = images(list(rng.integers(0, 256, 41)), list(rng.integers(0, 2, 41)))
    whole = measure(Brightness(), many, CPU)
    monkeypatch.setattr(classification, "CPU_BATCH", 7)
    parts = measure(Brightness(), many, CPU)
    assert parts.details == whole.details
    assert parts.metrics["loss"] == pytest.approx(whole.metrics["loss"], rel=1e-6)


def test_value_by_hand() -> None:
    """Black is surely class 0 and white class 1; the third image is white and labelled 0."""
    found = measure(Brightness(), images([0, 255, 255], [0, 1, 0]), CPU)
    assert found.details["confusion"] == [[1, 1], [0, 1]]
    assert found.metrics["accuracy"] == pytest.approx(200 / 3)
    sure = math.log1p(math.exp(-10))
    assert found.metrics["loss"] == pytest.approx((2 * sure + sure + 10) / 3, rel=1e-5)


def test_dropout_and_gradients_are_off() -> None:
    model = Brightness().train()
    assert measure(model, images([255], [1]), CPU).metrics["accuracy"] == 100.0
    assert not model.training


def test_only_the_chosen_images_count() -> None:
    some = images([0, 255, 255], [0, 1, 0])
    chosen = Images(some.images, some.labels, np.array([0, 1]))
    assert measure(Brightness(), chosen, CPU).metrics["accuracy"] == 100.0


def test_pixels_are_scaled_to_one() -> None:
    x, labels = images([0, 255, 51], [0, 1, 1]).batch(np.array([2, 1]), CPU)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x[:, 0, 0, 0], torch.tensor([0.2, 1.0]))
    assert labels.tolist() == [1, 1]


def test_no_image_is_refused() -> None:
    empty = images([0], [0])
    with pytest.raises(ValueError, match="0 images to evaluate on are too few"):
        measure(Brightness(), Images(empty.images, empty.labels, np.array([], dtype=int)), CPU)
