"""The terminal: a line a job, what is left, and the end of a failed job's log."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipelines.terminal import LAST_LINES, Job, JobLines, clock, show_job_lines

PROGRESS = "rfnn-digits-n300-s0-00000000 epoch 3/10 train_loss 0.5 lr 1 left 0:01:30\n"


@pytest.fixture
def terminal() -> tuple[logging.Logger, io.StringIO]:
    """Return a logger whose terminal shows lines of jobs, and what is shown."""
    shown, logger = io.StringIO(), logging.Logger("made snakemake", logging.INFO)
    handler = logging.StreamHandler(shown)
    handler.name = "DefaultStreamHandler"
    logger.addHandler(handler)
    logger.addHandler(logging.NullHandler())
    assert isinstance(show_job_lines(logger), JobLines)
    return logger, shown


def say(logger: logging.Logger, event: str, message: str = "", **said: Any) -> None:
    level = logging.ERROR if event.endswith("error") else logging.INFO
    logger.log(level, message, extra={"event": event, **said})


def begin(logger: logging.Logger, jobid: int, rule: str, *logs: Path, **wildcards: str) -> None:
    say(logger, "job_info", jobid=jobid, rule_name=rule, wildcards=wildcards, log=list(logs))


def test_a_line_for_each_job_and_nothing_else(terminal: Any) -> None:
    logger, shown = terminal
    logger.info("Building DAG of jobs...")
    say(logger, "run_info", "Job stats: …", stats={"total": 2, "train": 1, "figure6": 1})
    begin(logger, 1, "train", run="rfnn-s0")
    logger.info("Select jobs to execute...")
    begin(logger, 2, "figure6")
    say(logger, "job_finished", job_id=1)
    say(logger, "job_finished", job_id=2)
    lines = shown.getvalue().splitlines()
    assert [line.split("  ")[:3] for line in lines[1:]] == [
        ["1/2", "done", ""],
        ["2/2", "done", ""],
    ]
    assert lines[0] == "2 jobs to do"
    assert "train rfnn-s0" in lines[1]
    assert "figure6" in lines[2]


def test_what_steers_a_terminal_is_shown_as_its_escape(terminal: Any, tmp_path: Path) -> None:
    logger, shown = terminal
    log = tmp_path / "train.log"
    log.write_text("b\x1b[2J.png is no picture\n")
    logger.warning("a\x1b]0;title\a.png [red]left[/] out")
    begin(logger, 1, "train", log, run="c\x1b[31m")
    say(logger, "job_error", jobid=1)
    assert "\x1b" not in shown.getvalue()
    assert all(
        text in shown.getvalue()
        for text in (r"a\x1b]0;title\x07.png [red]left[/] out", r"b\x1b[2J.png is", r"c\x1b[31m")
    )


def test_a_failure_shows_the_end_of_its_log(terminal: Any, tmp_path: Path) -> None:
    logger, shown = terminal
    log = tmp_path / "train.log"
    log.write_text("".join(f"line {number}\n" for number in range(40)) + "train: [it] broke\n")
    say(logger, "run_info", stats={"total": 1})
    begin(logger, 1, "train", log)
    say(logger, "job_error", jobid=1)
    text = shown.getvalue()
    assert "1/1  failed  train" in text
    assert "train: [it] broke" in text
    assert f"line {40 - LAST_LINES + 1}\n" in text
    assert f"line {40 - LAST_LINES}\n" not in text


def test_warnings_errors_and_ids_of_slurm_are_shown(terminal: Any) -> None:
    logger, shown = terminal
    logger.warning("MLflow is away")
    say(logger, "error", "WorkflowError: unknown target", exception="WorkflowError")
    logger.info("Job 3 has been submitted with SLURM jobid 71 (log: x).")
    assert shown.getvalue().splitlines() == [
        "MLflow is away",
        "WorkflowError: unknown target",
        "Job 3 has been submitted with SLURM jobid 71 (log: x).",
    ]


def test_what_trainings_print_feeds_the_estimate(terminal: Any, tmp_path: Path) -> None:
    logger, _ = terminal
    log = tmp_path / "train.log"
    log.write_text(PROGRESS.replace("3/10", "2/10") + PROGRESS + "something else\n")
    assert Job("train", [str(log)]).progress() == ("rfnn-digits-n300-s0-00000000 epoch 3/10", 90)
    assert Job("train", [str(tmp_path / "absent")]).progress() is None
    (lines,) = [handler for handler in logger.handlers if isinstance(handler, JobLines)]
    assert lines.seconds_left() is None
    begin(logger, 1, "train", log)
    assert lines.seconds_left() == 90


def test_jobs_that_wait_are_expected_to_take_what_their_rule_took(
    terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, _ = terminal
    (lines,) = [handler for handler in logger.handlers if isinstance(handler, JobLines)]
    now = lines._begun
    monkeypatch.setattr("pipelines.terminal.time.monotonic", lambda: now)
    say(logger, "run_info", stats={"total": 8, "train": 2, "figure": 5, "other": 1})
    begin(logger, 1, "train")
    now += 100
    say(logger, "job_finished", job_id=1)
    begin(logger, 2, "figure")
    now += 4
    say(logger, "job_finished", job_id=2)
    # One training of 100 s, four figures of 4 s, one job of the median of both.
    assert lines.seconds_left() == pytest.approx(100 + 4 * 4 + 52)
    begin(logger, 3, "train")
    begin(logger, 4, "train")
    now += 60
    # 40 s of each are left; on the way 100 + 4 + 2 * 60 s of work were done in 164 s.
    assert lines.seconds_left() == pytest.approx((2 * 40 + 4 * 4 + 52) / (224 / 164))


@pytest.mark.parametrize("width", [40, 80])
def test_lines_of_running_jobs_and_the_bar_stay_one_line_each(
    terminal: Any, tmp_path: Path, width: int
) -> None:
    logger, _ = terminal
    (lines,) = [handler for handler in logger.handlers if isinstance(handler, JobLines)]
    log = tmp_path / "train.log"
    log.write_text(PROGRESS.replace("0:01:30", "0:00:00"))
    begin(logger, 1, "train_chapter3_workers1_0_and_a_name_of_many_letters", log)
    lines.total = 61
    shown = io.StringIO()
    Console(file=shown, width=width, force_terminal=True).print(lines._bar())
    text = shown.getvalue().splitlines()
    assert len(text) == 2
    assert "0 s left" not in text[0]


def test_without_a_terminal_nothing_is_replaced() -> None:
    assert show_job_lines(logging.Logger("made snakemake")) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
