"""The line of progress."""

from __future__ import annotations

import pytest

from structnets.training import reporting
from structnets.training.reporting import Progress, row_of


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that stands still; its last entry is now."""
    now = [100.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[-1])
    return now


def test_line_has_epoch_values_and_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress("a_run")
    clock.append(106.0)
    progress.epoch(row_of(1, 12, train_loss=1.0, lr=5.0), 70)
    clock.append(160.0)
    progress.epoch(row_of(10, 120, train_loss=0.25, lr=4.5), 70)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "a_run epoch 10/70 train_loss 0.25 lr 4.5 left 0:06:00\n"


def test_time_left_counts_this_attempt_s_epochs_only(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress("a_run", every=0.0)
    progress.resumed([row_of(50, 50, train_loss=0.5)])
    clock.append(110.0)
    progress.epoch(row_of(51, 51, train_loss=0.5), 60)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "a_run resumed after epoch 50"
    assert second.endswith("left 0:01:30")


def test_lines_are_rare_and_the_last_epoch_has_one(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress("a_run", every=10.0)
    for epoch in range(1, 101):
        clock.append(100.0 + 0.25 * epoch)
        progress.epoch(row_of(epoch, epoch, train_loss=1.0), 100)
    epochs = [line.split()[2] for line in capsys.readouterr().err.splitlines()]
    assert epochs == ["40/100", "80/100", "100/100"]


def test_fresh_start_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Progress("a_run").resumed([])
    assert capsys.readouterr().err == ""


def test_row_holds_numbers() -> None:
    assert row_of(1, 12, lr=5) == {"epoch": 1.0, "step": 12.0, "lr": 5.0}
