"""Lines of the ledger of sweeps.

``workflow/ledger/sweeps.jsonl`` holds one line per sweep, preset and seed, sorted; a new search
replaces its line. A line says what was asked, every point tried, and in the same order what each
trial reached on the ``held_out`` images. It counts as long as its id is that of the sweep file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from structnets import files, identity
from structnets.reporting.ledger import reduced
from structnets.reporting.ledger_file import LedgerFile, Line

FILE = "sweeps.jsonl"
ASKED = ("sweep_id", "name", "preset", "metric", "seed", "asha", "base", "points")
KEYS = (
    *ASKED,
    "trials",
    "held_out",
    "data_digest",
    "code_digest",
    "hardware",
    "versions",
    "commit",
)
TRIAL_KEYS = ("epochs", "accuracy", "parameters", "step_s", "stopped_early")


def sweep_line(result: Mapping[str, Any]) -> Line:
    """Reduce what a sweep wrote to a ledger line.

    The commit of a working tree with uncommitted changes ends in ``-dirty``.

    Raises
    ------
    ValueError
        If the result lacks something a line holds.
    """
    return reduced(result, KEYS, f"sweep {result.get('sweep_id')!r}")


def local_sweeps(results: Path) -> dict[str, Line]:
    """Read ``<results>/sweeps/*/result.json`` as ledger lines, by sweep id."""
    found = (sweep_line(files.read_json(p)) for p in sorted(results.glob("sweeps/*/result.json")))
    return {line["sweep_id"]: line for line in found}


def read_sweeps(directory: Path) -> dict[str, Line]:
    """Read the ledger of sweeps, by sweep id; raises as `LedgerFile.read` says."""
    return _FILE.read(directory)


def append_sweeps(directory: Path, lines: Iterable[Line]) -> None:
    """Add lines, replacing those of the same sweep, preset and seed; atomically."""
    _FILE.append(directory, lines)


def _content_id(line: Line) -> str | None:
    trials = line["trials"]
    fits = len(trials) == len(line["points"]) > 0 and all(map(_fits, trials))
    fits &= type(line["held_out"]) is int and line["held_out"] > 0
    fits &= type(line["seed"]) is int and any(t["accuracy"] is not None for t in trials)
    words = [line["hardware"]["class"], line["preset"], line["name"], line["data_digest"]]
    fits &= all(isinstance(word, str) for word in words)
    return identity.sweep_id(line) if fits else None


def _fits(trial: Any) -> bool:
    """Say whether this is what a trial reached; of one that failed there is no accuracy."""
    accuracy = trial["accuracy"]
    return (
        set(trial) == set(TRIAL_KEYS)
        and type(trial["epochs"]) is int
        and (accuracy is None or (type(accuracy) in (int, float) and 0 <= accuracy <= 100))
    )


def _place(line: Line) -> tuple[str, str, int]:
    return line["name"], line["preset"], line["seed"]


_FILE = LedgerFile(FILE, "a sweep", "sweep_id", KEYS, _content_id, _place)
