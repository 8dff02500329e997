"""One line a job on the terminal, a bar with what is left, and the reason of a failure.

Takes the place of Snakemake's own output of a local call; the whole of that stays in Snakemake's
log file. What trainings print into their logs (`structnets.training.reporting.Progress`) feeds the
estimate.
"""

from __future__ import annotations

import logging
import re
import statistics
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from structnets.foreign.shown import printable_lines

LAST_LINES = 12
LONGEST = 300
# Read of the end of a log: enough for the last lines of progress.
_TAIL_BYTES = 8192
_PROGRESS = re.compile(r"^(\S+) epoch (\d+)/(\d+) .*left (\d+):(\d\d):(\d\d)$", re.MULTILINE)
_STREAM = "DefaultStreamHandler"
# Of what Snakemake says beside its events, the lines that a person waits for.
_WORTH_SAYING = ("Nothing to be done", "Complete log")


@dataclass
class Job:
    """A job that runs."""

    name: str
    logs: Sequence[str]
    rule: str = ""
    begun: float = field(default_factory=time.monotonic)

    def progress(self) -> tuple[str, float] | None:
        """Return what a training printed last, and the seconds it thinks are left of that run."""
        told = [found for log in self.logs for found in _PROGRESS.findall(tail(Path(log)))]
        if not told:
            return None
        run, epoch, epochs, hours, minutes, seconds = told[-1]
        left = 3600 * int(hours) + 60 * int(minutes) + int(seconds)
        return f"{run} epoch {epoch}/{epochs}", left


class JobLines(logging.Handler):
    """Writes what happens to jobs, one line each, under a bar where the terminal can show one.

    Parameters
    ----------
    stream : text stream
        Where to; a bar is drawn if it is a terminal.
    """

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        super().__init__(logging.INFO)
        self.console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
        self.total = self.done = self.failed = 0
        self.running: dict[int, Job] = {}
        # By rule: jobs that have not begun, and the seconds that those which ended took.
        self.waiting: Counter[str] = Counter()
        self.took: dict[str, list[float]] = {}
        self._begun = time.monotonic()
        self._live: Live | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record of Snakemake."""
        try:
            event = getattr(record, "event", None)
            handler = getattr(self, f"_{event}", None) if event is not None else None
            if handler is not None:
                handler(vars(record))
            elif event is None:
                self._message(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the bar away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        super().close()

    def _message(self, record: logging.LogRecord) -> None:
        text = printable_lines(record.getMessage().strip())
        if record.levelno >= logging.WARNING:
            style = "red" if record.levelno >= logging.ERROR else "yellow"
            self.console.print(Text(text, style=style))
        elif text.startswith(_WORTH_SAYING) or "SLURM jobid" in text:
            self.console.print(Text(text, style="dim"))

    def _run_info(self, said: Mapping[str, Any]) -> None:
        self.waiting = Counter({str(rule): int(count) for rule, count in said["stats"].items()})
        self.total = self.waiting.pop("total")
        self.console.print(f"{self.total} jobs to do")
        if self.console.is_terminal:
            self._live = Live(
                get_renderable=self._bar, console=self.console, refresh_per_second=2, transient=True
            )
            self._live.start()

    def _job_info(self, said: Mapping[str, Any]) -> None:
        wildcards = said.get("wildcards") or {}
        rule = str(said["rule_name"])
        name = " ".join([rule, *map(str, dict(wildcards).values())])
        self.waiting[rule] -= 1
        logs = [str(log) for log in said.get("log") or ()]
        self.running[said["jobid"]] = Job(printable_lines(name), logs, rule, time.monotonic())

    def _job_finished(self, said: Mapping[str, Any]) -> None:
        job = self.running.pop(said["job_id"], None)
        self.done += 1
        if job is not None:
            self._line("[green]done[/]  ", job)

    def _job_error(self, said: Mapping[str, Any]) -> None:
        job = self.running.pop(said["jobid"], None)
        self.failed += 1
        if job is None:
            return
        self._line("[bold red]failed[/]", job)
        for log in job.logs:
            lines = tail(Path(log)).splitlines()[-LAST_LINES:]
            self.console.print(Text(printable_lines(f"  the last lines of {log}:"), style="red"))
            for line in lines:
                self.console.print(Text(printable_lines(f"    {line}")))

    def _error(self, said: Mapping[str, Any]) -> None:
        for line in str(said.get("msg") or "").strip().splitlines():
            # A job's command, with its specs, takes a screen of its own; it is in the log file.
            self.console.print(Text(printable_lines(textwrap.shorten(line, LONGEST)), style="red"))

    def _line(self, outcome: str, job: Job) -> None:
        place = f"{self.done + self.failed:>{len(str(self.total))}}/{self.total}"
        seconds = time.monotonic() - job.begun
        self.took.setdefault(job.rule, []).append(seconds)
        self.console.print(f"{place}  {outcome}  {escape(job.name)}  [dim]{clock(seconds)}[/]")

    def seconds_left(self) -> float | None:
        """Estimate the seconds until all is done; None before anything is known.

        A job is expected to take as long as those of its rule did, or as long as the median of all
        others where none has ended; as many go on side by side as did so far.
        """
        now = time.monotonic()
        told = {number: job.progress() for number, job in self.running.items()}
        longest = max((found[1] for found in told.values() if found), default=0.0)
        every = [seconds for ended in self.took.values() for seconds in ended]
        if not every:
            return longest or None

        def expected(rule: str) -> float:
            return statistics.fmean(self.took[rule]) if rule in self.took else typical

        typical = statistics.median(every)
        ahead = sum(max(0, count) * expected(rule) for rule, count in self.waiting.items())
        for number, job in self.running.items():
            found, spent = told[number], now - job.begun
            ahead += max(found[1] if found else 0.0, expected(job.rule) - spent)
            every.append(spent)
        side_by_side = max(1.0, sum(every) / max(1e-9, now - self._begun))
        return max(longest, ahead / side_by_side)

    def _bar(self) -> Group:
        ended, left = self.done + self.failed, self.seconds_left()
        estimate = "" if left is None else f", about {clock(left)} left"
        grid = Table.grid(Column(), Column(no_wrap=True, overflow="ellipsis"), padding=(0, 1))
        grid.add_row(
            ProgressBar(max(1, self.total), ended, width=min(30, self.console.width // 5)),
            f"{ended} of {self.total} jobs in {clock(time.monotonic() - self._begun)}{estimate}",
        )
        lines = []
        for job in list(self.running.values()):
            found = job.progress()
            shown = f": {found[0]}" if found else ""
            # A job of several short trainings has none left of one, and the next to begin.
            left = f", {clock(found[1])} left" if found and found[1] else ""
            took = clock(time.monotonic() - job.begun)
            lines.append(
                Text(
                    f"  {job.name} ({took}){shown}{left}", "dim", no_wrap=True, overflow="ellipsis"
                )
            )
        return Group(*lines, grid)


def tail(path: Path) -> str:
    """Return the end of a log; nothing if it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").replace("\r", "\n")
    except OSError:
        return ""


def clock(seconds: float) -> str:
    """Write a duration: ``42 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def show_job_lines(logger: logging.Logger) -> JobLines | None:
    """Let `JobLines` take the place of Snakemake's handler of the terminal, if it has one."""
    for handler in logger.handlers:
        if handler.name == _STREAM and isinstance(handler, logging.StreamHandler):
            shown = JobLines(handler.stream)
            shown.name = _STREAM
            logger.removeHandler(handler)
            logger.addHandler(shown)
            return shown
    return None
