"""Accuracy and confusion, by hand and as properties."""

from __future__ import annotations

import pytest
import torch

from structnets.metrics.classification import accuracy, confusion_matrix


def test_counts_add_up() -> None:
    torch.manual_seed(0)
    labels, predictions = torch.randint(0, 5, (2, 200))
    confusion = confusion_matrix(labels, predictions, 5)
    assert torch.equal(confusion.sum(1), torch.bincount(labels, minlength=5))
    assert torch.equal(confusion.sum(0), torch.bincount(predictions, minlength=5))
    agreed = float((labels == predictions).double().mean())
    assert accuracy(confusion) == pytest.approx(100 * agreed)


def test_exchanging_labels_and_predictions_transposes() -> None:
    torch.manual_seed(1)
    labels, predictions = torch.randint(0, 3, (2, 50))
    one = confusion_matrix(labels, predictions, 3)
    assert torch.equal(one, confusion_matrix(predictions, labels, 3).T)


def test_values_by_hand() -> None:
    confusion = confusion_matrix(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 2, 1, 1]), 3)
    assert confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert accuracy(confusion) == 50.0


def test_class_that_never_occurs_has_its_place() -> None:
    confusion = confusion_matrix(torch.tensor([1]), torch.tensor([1]), 4)
    assert confusion.shape == (4, 4)
    assert confusion.dtype == torch.int64


@pytest.mark.parametrize(("labels", "predictions"), [([0, 3], [0, 1]), ([0, 1], [0, -1])])
def test_what_is_no_class_is_refused(labels: list[int], predictions: list[int]) -> None:
    """They would be counted in the cells of other classes."""
    with pytest.raises(ValueError, match=r"from 0 to 2, got (3|-1)"):
        confusion_matrix(torch.tensor(labels), torch.tensor(predictions), 3)


def test_nothing_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="counts no sample"):
        accuracy(torch.zeros(2, 2, dtype=torch.int64))
