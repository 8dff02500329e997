"""Means of the loss, kept over a stop."""

import pytest
import torch

from structnets.forms.workers import Workers
from structnets.training import loss_record
from structnets.training.loss_record import LossRecord

CPU, ALONE = torch.device("cpu"), Workers()


def feed(record, losses, first=0):
    for steps, loss in enumerate(losses, first + 1):
        record.add(torch.tensor(loss), steps)


def test_windows_and_epochs_are_means(monkeypatch):
    monkeypatch.setattr(loss_record, "WINDOW", 2)
    record = LossRecord(ALONE, CPU)
    feed(record, [1.0, 2.0, 3.0])
    assert record.windows == [1.5]
    assert record.end_epoch(3) == 2.0
    feed(record, [5.0], first=3)
    assert record.windows == [1.5, 4.0]


def test_a_record_goes_on_from_its_state(monkeypatch):
    monkeypatch.setattr(loss_record, "WINDOW", 3)
    losses = [0.5, 0.25, 4.0, 1.0, 2.0, 3.0, 8.0]
    whole, first = LossRecord(ALONE, CPU), LossRecord(ALONE, CPU)
    feed(whole, losses)
    feed(first, losses[:4])
    second = LossRecord(ALONE, CPU, first.state())
    feed(second, losses[4:], first=4)
    assert second.state() == whole.state()
    assert second.end_epoch(7) == pytest.approx(sum(losses) / 7)
