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
from structnets.foreign.documents import parse_json, read_text
from structnets.reporting.ledger import reduced

Line = dict[str, Any]
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
    """Read the ledger of analyses, by analysis id; empty where there is none.

    Raises
    ------
    ValueError
        Naming file and line, if a line is damaged or repeats an analysis, or if its id is not
        that of what it says was asked.
    """
    path, lines = directory / FILE, {}
    if not path.is_file():
        return {}
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        place = f"{path}:{number}"
        line = parse_json(text, place)
        if not isinstance(line, dict) or set(line) - set(OPTIONAL) != set(KEYS):
            raise ValueError(f"{place}: an object with the keys {sorted(KEYS)} is needed")
        expected = _checked_id(line, place)
        if line["analysis_id"] != expected:
            raise ValueError(
                f"{place}: analysis_id is {line['analysis_id']!r}, its content gives {expected!r}"
            )
        if line["analysis_id"] in lines:
            raise ValueError(f"{place}: {line['analysis_id']} has a line already")
        lines[line["analysis_id"]] = line
    return lines


def _checked_id(line: Line, place: str) -> str:
    """Return the id that a line's content gives, having seen that it has the form of one."""
    try:
        values = line["values"].values()
        fits = all(type(found["n"]) is int and found["value"] * 0 == 0 for found in values)
        fits &= type(line.get("repeat", 1)) is int and line.get("repeat", 1) > 0
        words = [*line["data"], line["hardware"]["class"], line["preset"], line["target"]]
        words += [model[key] for model in line["models"] for key in ("run_id", "label")]
        if fits and all(isinstance(word, str) for word in words):
            return identity.analysis_id(line)
    except (KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ValueError(f"{place}: the line is not that of an analysis")


def append_findings(directory: Path, lines: Iterable[Line]) -> None:
    """Add lines, replacing those of the same target, preset and training or repeat; atomically."""
    new = list(lines)
    if not new:
        return
    replaced = {_place(line) for line in new}
    kept = [line for line in read_findings(directory).values() if _place(line) not in replaced]
    merged = sorted([*kept, *new], key=lambda line: line["analysis_id"])
    text = "".join(identity.canonical_json(line) + "\n" for line in merged)
    files.write_atomic(directory / FILE, text)


def _place(line: Line) -> tuple[str, str, tuple[int, ...], int]:
    return line["target"], line["preset"], seeds_of(line), line.get("repeat", 0)


def seeds_of(line: Line) -> tuple[int, ...]:
    """Return the seeds of the networks that an analysis looked at, as their run ids tell them."""
    found = (re.search(r"-s(\d+)-[0-9a-f]{8}$", model["run_id"]) for model in line["models"])
    return tuple(int(one[1]) for one in found if one)
