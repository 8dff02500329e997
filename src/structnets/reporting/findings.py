"""Numbers of analyses, of one or several trainings of their networks, and what is said of them."""

from __future__ import annotations

import fnmatch
import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from structnets.reporting.analysis_lines import read_findings, seeds_of
from structnets.reporting.freshness import stale_note
from structnets.reporting.interpretations import section
from structnets.reporting.ledger_file import Line, Measured
from structnets.reporting.markdown import code, escaped, without_html
from structnets.reporting.protocol import FULL, differences, phrase_of
from structnets.specs.analysis import (
    Analysis,
    load_models_experiments,
    model_specs,
    resolve_analysis,
)
from structnets.specs.experiment import Experiment


@dataclass(frozen=True)
class Value:
    """One number of an analysis.

    Attributes
    ----------
    name : str
    mean : float
        Over the trainings.
    sd : float or None
        Standard deviation over the trainings; None of a single one.
    n : int
        What one training's number is over (images, say).
    """

    name: str
    mean: float
    sd: float | None
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4g}" + ("" if self.sd is None else f" ± {self.sd:.2g}")


@dataclass(frozen=True)
class Finding(Measured):
    """A measured analysis of one preset.

    Attributes
    ----------
    analysis : Analysis
        Its file.
    lines : dict of int to dict
        Of the ledger, by what the seeds of the networks are above those of the file; of the same
        data. Of an analysis of no networks, by how often it was measured before; on one machine.
    stale_runs : list of str
        Runs it looked at whose code has changed since.
    differs : list of str or None
        In words, how it differs from the analysis under the full protocol; None if there is none.
    """

    analysis: Analysis
    lines: dict[int, Line]
    stale_runs: list[str] = field(default_factory=list)
    differs: list[str] | None = None

    @property
    def run_ids(self) -> list[str]:
        """The runs that were looked at."""
        models = (model for line in self.lines.values() for model in line["models"])
        return list(dict.fromkeys(model["run_id"] for model in models))

    @property
    def trainings(self) -> str:
        """What values are over, of several trainings of the networks or repeats, in words."""
        if len(self.lines) < 2:
            return ""
        over, one = "repeats of the measurement", "repeat"
        if self.run_ids:
            over, one = "trainings of the networks", "training"
        return (
            f"Mean ± standard deviation over {len(self.lines)} {over}; n is what one {one}'s "
            "number is over."
        )

    def by_offset(self, name: str) -> dict[int, float]:
        """Return a value of each training that has it."""
        return {
            offset: line["values"][name]["value"]
            for offset, line in self.lines.items()
            if name in line["values"]
        }

    def values(self) -> Iterator[Value]:
        """Yield the values that are reported and that all trainings have, numbers in order."""
        for name in sorted(self.line["values"], key=_naturally):
            found = list(self.by_offset(name).values())
            reported = any(fnmatch.fnmatchcase(name, one) for one in self.analysis.reported)
            if reported and len(found) == len(self.lines):
                sd = statistics.stdev(found) if len(found) > 1 else None
                yield Value(name, statistics.fmean(found), sd, self.line["values"][name]["n"])

    def rows(self) -> list[dict[str, Any]]:
        """List the reported values as `structnets results` prints them."""
        return [
            {
                "target": self.line["target"],
                "row": value.name,
                "column": "value",
                "preset": self.line["preset"],
                "comparable": self.comparable,
                "differs": self.differs or [],
                "data": ", ".join(dict.fromkeys(self.line["data"])) or None,
                "mean": value.mean,
                "sd": value.sd,
                "n": value.n,
                "chance": None,
                "thesis": self.analysis.thesis_value(value.name),
                "hardware": self.line["hardware"]["class"],
                "run_ids": self.run_ids,
                # That of the analysis itself is not digested, so that "not stale" is never said.
                "stale": True if self.stale_runs else None,
            }
            for value in self.values()
        ]

    def markdown(self) -> str:
        """Write title, caption, values beside the thesis' and where they come from."""
        analysis = self.analysis
        data = ", ".join(dict.fromkeys(self.line["data"])) or "none"
        runs = ", ".join(map(code, self.run_ids)) or "none"
        parts = [
            f"## {escaped(analysis.title)}",
            without_html(analysis.caption),
            f"{self.origin(data)} · runs {runs}",
            self._table(),
        ]
        if self.trainings:
            parts.append(f"- {self.trainings}")
        if self.differs and any(self.analysis.thesis_value(one.name) for one in self.values()):
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
        for value in self.values():
            thesis = self.analysis.thesis_value(value.name)
            note = self.analysis.thesis_note(value.name)
            note = note and escaped(note)
            said = "" if thesis is None else f"{thesis:.4g}" + (f" ({note})" if note else "")
            lines.append(f"| {escaped(value.name)} | **{value}** | {value.n} | {said} |")
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
    lines = read_findings(ledger_dir).values()
    if not lines:
        return
    experiments = load_models_experiments(experiments_dir, analyses.values())
    for analysis in analyses.values():
        for preset in presets:
            if preset not in analysis.presets:
                continue
            about = (analysis.target, preset)
            own = [line for line in lines if (line["target"], line["preset"]) == about]
            asked = _still_asked(own, analysis, experiments, preset)
            if asked:
                finding = Finding(analysis, asked)
                stale_runs = [run for run in finding.run_ids if changed(run)]
                differs = _differs(analysis, experiments, preset)
                yield replace(finding, stale_runs=stale_runs, differs=differs)


def _still_asked(
    lines: Iterable[Line], analysis: Analysis, experiments: Mapping[str, Experiment], preset: str
) -> dict[int, Line]:
    """Return the lines that the file still asks for, made with what the first was made with."""
    found = {}
    for line in lines:
        models, seeds = analysis.models_of(preset), seeds_of(line)  # type: ignore[arg-type]
        offset = seeds[0] - models[0].seed if models and seeds else line.get("repeat", 0)
        if offset < 0:
            continue
        wanted = resolve_analysis(analysis.shifted(offset), experiments, preset, offset)
        if line["analysis_id"] == wanted["analysis_id"]:
            found[offset] = line
    if not found:
        return {}
    first = _made_with(found[min(found)])
    return {at: found[at] for at in sorted(found) if _made_with(found[at]) == first}


def _made_with(line: Line) -> list[Any]:
    """Return what lines share whose values are taken together: data, or of none the machine."""
    return line["data_digests"] or [line["hardware"]]


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
