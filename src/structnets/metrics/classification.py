"""Accuracy and confusion of a classifier."""

from __future__ import annotations

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    """Count (true class, predicted class) pairs, shape (classes, classes) int64.

    Raises
    ------
    ValueError
        If a label or a prediction is no class.
    """
    for name, values in (("labels", labels), ("predictions", predictions)):
        if bool(((values < 0) | (values >= classes)).any()):
            raise ValueError(
                f"{name} must be from 0 to {classes - 1}, got "
                f"{values[(values < 0) | (values >= classes)][0].item()}: give the number of "
                "classes that the data have"
            )
    index = labels.long() * classes + predictions.long()
    return torch.bincount(index, minlength=classes * classes).view(classes, classes)


def accuracy(confusion: Tensor) -> float:
    """Return the part of correct predictions in percent.

    Raises
    ------
    ValueError
        If nothing was counted.
    """
    total = int(confusion.sum())
    if total == 0:
        raise ValueError("confusion counts no sample")
    return 100.0 * int(confusion.diagonal().sum()) / total
