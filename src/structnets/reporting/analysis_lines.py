"""Lines of the ledger of analyses.

``workflow/ledger/analyses.jsonl`` holds one line per analysis, preset and seeds of the networks it
looked at (of one that looks at none: ``repeat``, how often it was measured before), sorted; a new
measurement replaces its line. A line counts as long as its id is that of the analysis file, which
digests options and runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from structnets import files, identity
from structnets.reporting.ledger import reduced
from structnets.reporting.ledger_file import LedgerFile, Line

FILE = "analyses.jsonl"
KEYS = (
    "analysis_id",
    "target",
    "chapter",
    "preset",
    "analysis",
    "options",
    "models",
    "values",
    "data",
    "data_digests",
    "hardware",
    "versions",
    "commit",
    "wall_s",
)
OPTIONAL = ("repeat",)


def finding_line(result: Mapping[str, Any]) -> Line:
    """Reduce what an analysis wrote to a ledger line.

    The commit of a working tree with uncommitted changes ends in ``-dirty``.

    Raises
    ------
    ValueError
        If the result lacks something a line holds.
    """
    line = reduced(result, KEYS, f"analysis {result.get('analysis_id')!r}")
    return line | {key: result[key] for key in OPTIONAL if key in result}


def local_findings(results: Path) -> dict[str, Line]:
    """Read ``<results>/analyses/*.json`` as ledger lines, by analysis id."""
    found = (finding_line(files.read_json(p)) for p in sorted(results.glob("analyses/*.json")))
    return {line["analysis_id"]: line for line in found}


def read_findings(directory: Path) -> dict[str, Line]:
    """Read the ledger of analyses, by analysis id; raises as `LedgerFile.read` says."""
    return _FILE.read(directory)


def append_findings(directory: Path, lines: Iterable[Line]) -> None:
    """Add lines, replacing those of the same target, preset and training or repeat; atomically."""
    _FILE.append(directory, lines)


def _content_id(line: Line) -> str | None:
    values = line["values"].values()
    fits = all(type(found["n"]) is int and found["value"] * 0 == 0 for found in values)
    fits &= type(line.get("repeat", 1)) is int and line.get("repeat", 1) > 0
    words = [*line["data"], line["hardware"]["class"], line["preset"], line["target"]]
    words += [model[key] for model in line["models"] for key in ("run_id", "label")]
    fits &= all(isinstance(word, str) for word in words)
    return identity.analysis_id(line) if fits else None


def _place(line: Line) -> tuple[str, str, tuple[int, ...], int]:
    return line["target"], line["preset"], seeds_of(line), line.get("repeat", 0)


def seeds_of(line: Line) -> tuple[int, ...]:
    """Return the seeds of the networks that an analysis looked at, as their run ids tell them."""
    found = (re.search(r"-s(\d+)-[0-9a-f]{8}$", model["run_id"]) for model in line["models"])
    return tuple(int(one[1]) for one in found if one)


_FILE = LedgerFile(FILE, "an analysis", "analysis_id", KEYS, _content_id, _place, OPTIONAL)
