"""Times beside another net's: by turns, as medians of ratios, on the figure and in its numbers."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import torch

from structnets.analysis import step_times as analysis
from structnets.analysis.step_times import (
    ProcessorTime,
    processor_time,
    time_ratios,
    training_step,
)
from structnets.figures.context import Context
from structnets.figures.step_times import make
from structnets.figures.step_times.make import step_times
from structnets.figures.step_times.options import Beside, StepTimes


def test_ratios_are_of_the_first_to_the_second_in_every_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cost, order = {"slow": 3.0, "fast": 2.0}, []

    def slow() -> None:
        order.append("slow")

    def fast() -> None:
        order.append("fast")

    def taken(step: analysis.Step, device: str) -> float:
        step()
        return cost[order[-1]]

    monkeypatch.setattr(analysis, "_taken", taken)
    assert time_ratios(slow, fast, 3) == [1.5] * 3
    assert order == ["slow", "fast", "slow", "fast", "fast", "slow", "slow", "fast"]
    with pytest.raises(ValueError, match="rounds must be >= 1, got 0"):
        time_ratios(slow, fast, 0)


def test_a_step_leaves_gradients_of_one_batch() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 2))
    step = training_step(net, torch.ones(4, 3, 1, 1))
    found = []
    for _ in range(2):
        step()
        (weight,) = [p for name, p in net.named_parameters() if name.endswith("weight")]
        assert weight.grad is not None
        found.append(weight.grad.clone())
    assert torch.equal(*found)


def test_time_of_other_programs_by_hand(tmp_path: Path) -> None:
    """Of 20 further seconds the processors were busy for 12, 5 of them with this process."""
    begun, ended = ProcessorTime(100, 40, 3), ProcessorTime(120, 52, 8)
    assert ended.others_since(begun) == pytest.approx(35)
    stat = tmp_path / "stat"
    assert processor_time(stat) is None
    tick = os.sysconf("SC_CLK_TCK")
    counts = " ".join(str(n * tick) for n in (1, 2, 3, 40, 5, 6, 7, 8, 99, 99))
    stat.write_text(f"cpu  {counts}\ncpu0 1 2 3\n")
    found = processor_time(stat)
    assert found is not None
    assert (found.had, found.busy) == (72, 27)


def test_medians_are_measured_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "time_ratios", lambda *_: [1.0, 5.0, 2.0])
    times = iter([ProcessorTime(0, 0, 0), ProcessorTime(10, 4, 3)])
    monkeypatch.setattr(make, "processor_time", lambda: next(times))
    pair = Beside(key="a", label="A", model="resnet20", plain="resnet20")
    context = Context([], tmp_path / "f", tmp_path / "work", "T", "n")
    (tmp_path / "work").mkdir()
    found = step_times(context, StepTimes(pairs=[pair], side=8, batch_size=1))
    assert [(m.name, m.value, m.n) for m in found] == [
        ("a.training", 2.0, 3),
        ("a.inference", 2.0, 3),
        ("a.others", 10.0, 5),
    ]
    with (tmp_path / "f.csv").open(newline="") as file:
        assert [r["most"] for r in csv.DictReader(file)] == ["5.0", "5.0"]
    with pytest.raises(ValueError, match="pairs must name at least one"):
        step_times(context, StepTimes())
