"""Numbers of analyses: their committed ledger, and what RESULTS.md says of them.

``workflow/ledger/analyses.jsonl`` holds one line per analysis and preset, sorted; a new
measurement of an analysis replaces its line. A line counts as long as its id is that of the
analysis file, which digests options and runs.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets import files, identity
from structnets.foreign.documents import parse_json, read_text
from structnets.reporting.freshness import stale_note
from structnets.reporting.interpretations import section
from structnets.reporting.ledger import reduced
from structnets.reporting.markdown import code, escaped, without_html
from structnets.reporting.protocol import FULL, differences, phrase_of
from structnets.specs.analysis import (
    Analysis,
    load_models_experiments,
    model_specs,
    resolve_analysis,
)
from structnets.specs.experiment import Experiment

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


def finding_line(result: Mapping[str, Any]) -> Line:
    """Reduce what an analysis wrote to a ledger line.

    The commit of a working tree with uncommitted changes ends in ``-dirty``.

    Raises
    ------
    ValueError
        If the result lacks something a line holds.
    """
    return reduced(result, KEYS, f"analysis {result.get('analysis_id')!r}")


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
        if not isinstance(line, dict) or set(line) != set(KEYS):
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
        words = [*line["data"], line["hardware"]["class"], line["preset"], line["target"]]
        words += [model[key] for model in line["models"] for key in ("run_id", "label")]
        if fits and all(isinstance(word, str) for word in words):
            return identity.analysis_id(line)
    except (KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise ValueError(f"{place}: the line is not that of an analysis")


def append_findings(directory: Path, lines: Iterable[Line]) -> None:
    """Add lines to the ledger, replacing those of the same target and preset; atomically."""
    new = list(lines)
    if not new:
        return
    replaced = {(line["target"], line["preset"]) for line in new}
    old = read_findings(directory).values()
    kept = [line for line in old if (line["target"], line["preset"]) not in replaced]
    merged = sorted([*kept, *new], key=lambda line: line["analysis_id"])
    text = "".join(identity.canonical_json(line) + "\n" for line in merged)
    files.write_atomic(directory / FILE, text)


@dataclass(frozen=True)
class Finding:
    """A measured analysis of one preset.

    Attributes
    ----------
    analysis : Analysis
        Its file.
    line : dict
        Of the ledger.
    stale_runs : list of str
        Runs it looked at whose code has changed since.
    differs : list of str or None
        In words, how it differs from the analysis under the full protocol; None if there is none.
    """

    analysis: Analysis
    line: Line
    stale_runs: list[str] = field(default_factory=list)
    differs: list[str] | None = None

    @property
    def comparable(self) -> bool:
        """Whether its values are to be set beside the thesis'."""
        return self.differs == []

    def values(self) -> Iterator[tuple[str, float, int]]:
        """Yield name, value and n of the values that are reported, numbers in names in order."""
        values = self.line["values"]
        for name in sorted(values, key=_naturally):
            found = values[name]
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.analysis.reported):
                yield name, found["value"], found["n"]

    def rows(self) -> list[dict[str, Any]]:
        """List the reported values as `structnets results` prints them."""
        return [
            {
                "target": self.line["target"],
                "row": name,
                "column": "value",
                "preset": self.line["preset"],
                "comparable": self.comparable,
                "differs": self.differs or [],
                "data": ", ".join(dict.fromkeys(self.line["data"])) or None,
                "mean": value,
                "sd": None,
                "n": n,
                "chance": None,
                "thesis": self.analysis.thesis_value(name),
                "hardware": self.line["hardware"]["class"],
                "run_ids": [model["run_id"] for model in self.line["models"]],
                # That of the analysis itself is not digested, so that "not stale" is never said.
                "stale": True if self.stale_runs else None,
            }
            for name, value, n in self.values()
        ]

    def markdown(self) -> str:
        """Write title, caption, values beside the thesis' and where they come from."""
        analysis, line = self.analysis, self.line
        data = escaped(", ".join(dict.fromkeys(line["data"])) or "none")
        runs = ", ".join(code(model["run_id"]) for model in line["models"]) or "none"
        parts = [
            f"## {escaped(analysis.title)}",
            without_html(analysis.caption),
            f"preset {line['preset']} · data {data} · hardware "
            f"{escaped(line['hardware']['class'])} · commit {escaped(str(line['commit'])[:12])} · "
            f"runs {runs}",
            self._table(),
        ]
        if self.differs and any(self.analysis.thesis_value(name) for name, _, _ in self.values()):
            parts.append(
                f"- Reduced, and so compared with no number of the thesis: "
                f"{escaped('; '.join(self.differs))}."
            )
        elif self.differs:
            parts.append(f"- Reduced: {escaped('; '.join(self.differs))}.")
        if self.stale_runs:
            named = ", ".join(code(run) for run in self.stale_runs)
            parts.append(f"- {stale_note(named)}")
        if analysis.interpretations:
            parts.append(section(analysis.interpretations))
        return "\n\n".join(parts)

    def _table(self) -> str:
        head = "thesis" if self.comparable else "thesis: full protocol"
        lines = [f"| value | measured | n | {head} |", "|---|---|---|---|"]
        for name, value, n in self.values():
            thesis, note = self.analysis.thesis_value(name), self.analysis.thesis_note(name)
            note = note and escaped(note)
            said = "" if thesis is None else f"{thesis:.4g}" + (f" ({note})" if note else "")
            lines.append(f"| {escaped(name)} | **{value:.4g}** | {n} | {said} |")
        return "\n".join(lines)


def _naturally(name: str) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def findings(
    ledger_dir: Path,
    analyses: Mapping[str, Analysis],
    experiments_dir: Path,
    presets: Iterable[str],
    changed: Callable[[str], bool] = lambda run: False,
) -> Iterator[Finding]:
    """Yield the measured analyses whose files still ask for what was measured.

    Parameters
    ----------
    ledger_dir, analyses_dir, experiments_dir : pathlib.Path
        Folders of the ledger, of analysis files and of experiment files.
    presets : iterable of str
        Which are looked for.
    changed : callable, optional
        Whether the code of a run has changed since; only runs that were looked at are asked about.
    """
    lines = read_findings(ledger_dir)
    if not lines:
        return
    experiments = load_models_experiments(experiments_dir, analyses.values())
    for analysis in analyses.values():
        for preset in presets:
            if preset not in analysis.presets:
                continue
            wanted = resolve_analysis(analysis, experiments, preset)["analysis_id"]
            if wanted in lines:
                line = lines[wanted]
                runs = dict.fromkeys(model["run_id"] for model in line["models"])
                stale_runs = [run for run in runs if changed(run)]
                yield Finding(analysis, line, stale_runs, _differs(analysis, experiments, preset))


def _differs(
    analysis: Analysis, experiments: Mapping[str, Experiment], preset: str
) -> list[str] | None:
    """Say how an analysis of a preset differs from that of the full protocol."""
    if FULL not in analysis.presets:
        return None
    own, full = (resolve_analysis(analysis, experiments, one) for one in (preset, FULL))
    nets, full_nets = (model_specs(analysis, experiments, one) for one in (preset, FULL))
    said = [
        phrase
        for spec, full_spec in zip(nets.values(), full_nets.values(), strict=False)
        for phrase in differences(spec, full_spec)
    ]
    if len(nets) != len(full_nets):
        said.append(f"nets {', '.join(nets)} in place of {', '.join(full_nets)}")
    for key, value in own["options"].items():
        if value != full["options"].get(key):
            said.append(phrase_of(key, value, full["options"].get(key)))
    return list(dict.fromkeys(said))
