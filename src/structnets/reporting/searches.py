"""Searches over a model's options, of one or several seeds, and what is said of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets import identity
from structnets.figures.style import Stem
from structnets.reporting.freshness import is_stale, stale_note
from structnets.reporting.interpretations import section
from structnets.reporting.intervals import wilson
from structnets.reporting.ledger_file import Line, Measured
from structnets.reporting.markdown import code, escaped, without_html
from structnets.reporting.protocol import FULL, differences
from structnets.reporting.sweep_lines import read_sweeps
from structnets.specs.sweep import Sweep, resolve_sweep

Point = Mapping[str, Any]


def shown_value(value: Any) -> str:
    """Return an option's value as tables and addresses have it: ``3/2/2`` of a list."""
    if isinstance(value, (list, tuple)):
        return "/".join(map(shown_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Search(Measured):
    """A measured sweep of one preset.

    Attributes
    ----------
    sweep : Sweep
        Its file.
    lines : dict of int to dict
        Of the ledger, by what the seed of the trials is above that of the file; of the same data.
    differs : list of str or None
        In words, how it differs from the sweep under the full protocol; None if there is none.
    stale : bool
        Whether its code has changed since.
    """

    sweep: Sweep
    lines: dict[int, Line]
    differs: list[str] | None = None
    stale: bool = False

    @property
    def sweep_ids(self) -> list[str]:
        """The searches."""
        return [line["sweep_id"] for line in self.lines.values()]

    @property
    def axes(self) -> dict[str, list[str]]:
        """Return the options that more than one value was tried of, each with these, in order."""
        points = self.line["points"]
        found = {
            option: list(dict.fromkeys(shown_value(point[option]) for point in points))
            for option in points[0]
        }
        return {option: values for option, values in found.items() if len(values) > 1}

    def best_of(self, line: Line, **wanted: str) -> int | None:
        """Return which trial of a search is the best among those with some options, if any.

        That is the most accurate of those that were trained longest, of equal ones the first.
        """
        tried = [
            number
            for number, (point, trial) in enumerate(
                zip(line["points"], line["trials"], strict=True)
            )
            if trial["accuracy"] is not None
            and all(shown_value(point[option]) == value for option, value in wanted.items())
        ]
        trials = line["trials"]
        return max(
            tried,
            key=lambda n: (trials[n]["epochs"], trials[n]["accuracy"], -n),
            default=None,
        )

    def by_offset(self, **wanted: str) -> dict[int, float]:
        """Return what the best trial with some options reached, in each search that has one."""
        found = {offset: self.best_of(line, **wanted) for offset, line in self.lines.items()}
        return {
            offset: self.lines[offset]["trials"][number]["accuracy"]
            for offset, number in found.items()
            if number is not None
        }

    def matrix(self) -> list[list[str]]:
        """Return the map as rows of words, the first of them the head: the best of each choice.

        Of two searched options every pair has a cell, of others every value of each a line.
        """
        axes = self.axes
        if len(axes) == 2:
            (across, columns), (down, rows) = axes.items()
            head = [f"{_words(down)} \\ {_words(across)}", *columns]
            cells = [[self._cell(**{across: x, down: y}) for x in columns] for y in rows]
            return [head, *([y, *line] for y, line in zip(rows, cells, strict=True))]
        lines = [
            [_words(option), value, self._cell(**{option: value})]
            for option, values in axes.items()
            for value in values
        ]
        return [["option", "value", "best (%)"], *lines]

    def _cell(self, **wanted: str) -> str:
        found = list(self.by_offset(**wanted).values())
        if not found:
            return ""
        sd = f" ± {statistics.stdev(found):.1f}" if len(found) > 1 else ""
        return f"{statistics.fmean(found):.1f}{sd}"

    def said(self) -> list[str]:
        """Say of each search which trial is the best, and how surely."""
        return [self._said_of(line) for line in self.lines.values()]

    def _said_of(self, line: Line) -> str:
        number, held_out = self.best_of(line), line["held_out"]
        if number is None:  # a line of the ledger has a finished trial
            raise ValueError(f"no trial of {line['sweep_id']} has a value")
        point, trial, trials = line["points"][number], line["trials"][number], line["trials"]
        low, high = wilson(round(trial["accuracy"] / 100 * held_out), held_out)
        others = [t for n, t in enumerate(trials) if n != number and t["accuracy"] is not None]
        within = sum(one["accuracy"] >= low for one in others)
        chosen = ", ".join(f"{_words(o)} {shown_value(point[o])}" for o in self.axes)
        failed = sum(one["accuracy"] is None for one in trials)
        early = sum(one["stopped_early"] for one in trials)
        rest = [
            f"{count} of {len(trials)} {what}"
            for count, what in ((early, "stopped early"), (failed, "failed"))
            if count
        ]
        said = (
            f"Seed {line['seed']}: the best is {chosen}, {trial['accuracy']:.1f} % of {held_out} "
            f"held-out images (95 % interval {low:.1f} to {high:.1f}; {within} of the "
            f"{len(others)} others reached its lower end)"
        )
        return "; ".join([said, *rest]) + "."

    def rows(self) -> list[dict[str, Any]]:
        """List the best, and the best of each choice, as `structnets results` prints them."""
        asked: list[tuple[str, dict[str, str]]] = [("best", {})]
        asked += [
            (f"{option}={value}", {option: value})
            for option, values in self.axes.items()
            for value in values
        ]
        base = self.line["base"]
        shared = {
            "target": self.sweep.target,
            "column": "validation accuracy",
            "preset": self.line["preset"],
            "comparable": self.comparable,
            "differs": self.differs or [],
            "data": f"{base['data']['name']}-{identity.data_variant(base)}",
            "chance": None,
            "thesis": None,
            "hardware": self.line["hardware"]["class"],
            "run_ids": self.sweep_ids,
            "stale": self.stale,
        }
        found = []
        for name, wanted in asked:
            values = list(self.by_offset(**wanted).values())
            if values:
                sd = statistics.stdev(values) if len(values) > 1 else None
                mean = statistics.fmean(values)
                found.append({**shared, "row": name, "mean": mean, "sd": sd, "n": len(values)})
        return found

    def markdown(self) -> str:
        """Write title, caption, the best of each search, the map and where they come from."""
        base = self.line["base"]
        data = f"{base['data']['name']}-{identity.data_variant(base)}"
        parts = [
            f"## {escaped(self.sweep.title)}",
            without_html(self.sweep.caption),
            f"{self.origin(data)} · searches {', '.join(map(code, self.sweep_ids))}",
            _table(self.matrix()),
            "\n".join(f"- {escaped(one)}" for one in self.notes()),
        ]
        if self.sweep.interpretations:
            parts.append(section(self.sweep.interpretations))
        return "\n\n".join(parts)

    def notes(self) -> list[str]:
        """Say what is the best, what a cell of the map is, how the search is reduced."""
        over = "" if len(self.lines) < 2 else f", mean ± deviation over {len(self.lines)} searches"
        found = [
            *self.said(),
            f"A cell is the accuracy of the best trial with that choice in percent{over}. A best "
            "one is chosen among many on the images it is measured on, which flatters it.",
        ]
        if self.differs:
            found.append(f"Reduced: {'; '.join(self.differs)}.")
        return [*found, *([stale_note("this search")] if self.stale else [])]

    def draw(self, stem: Stem) -> list[Path]:
        """Draw the map from the ledger alone: the means over the searches."""
        from structnets.figures.trials.draw import draw_trials

        trials = []
        for number, point in enumerate(self.line["points"]):
            reached = [line["trials"][number]["accuracy"] for line in self.lines.values()]
            known = [value for value in reached if value is not None]
            mean = statistics.fmean(known) if known else None
            trials.append({**point, **self.line["trials"][number], "accuracy": mean})
        line = self.line
        searches = "" if len(self.lines) < 2 else f", mean of {len(self.lines)} searches"
        return draw_trials(
            self.sweep.figure.model_dump(mode="json"),
            trials,
            stem,
            title=self.sweep.title,
            value_label="validation accuracy (%)",
            note=f"preset {line['preset']}, {line['base']['data']['name']}, "
            f"{len(trials)} trials{searches}",
        )


def _words(option: str) -> str:
    return option.replace("_", " ")


def _table(matrix: Sequence[Sequence[str]]) -> str:
    head, *rows = ([escaped(word) for word in line] for line in matrix)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows))


def searches(
    ledger_dir: Path,
    sweeps: Mapping[str, Sweep],
    presets: Iterable[str],
    changed: Callable[[Line], bool] = lambda line: False,
) -> Iterator[Search]:
    """Yield the measured sweeps whose files still ask for what was searched.

    Parameters
    ----------
    ledger_dir : pathlib.Path
        Folder of the ledger.
    sweeps : mapping of str to Sweep
        By target.
    presets : iterable of str
        Which are looked for.
    changed : callable, optional
        Whether the code of a line has changed since.
    """
    lines = read_sweeps(ledger_dir).values()
    for sweep in sweeps.values() if lines else ():
        for preset in presets:
            if preset not in sweep.presets:
                continue
            about = (sweep.target, preset)
            own = [line for line in lines if (line["name"], line["preset"]) == about]
            asked = _still_asked(own, sweep, preset)
            if asked:
                stale = any(map(changed, asked.values()))
                yield Search(sweep, asked, _differs(sweep, preset), stale)


def code_changed(line: Line) -> bool:
    """Say whether a search was made by other code than today's."""
    return is_stale({"spec": line["base"], "code_digest": line["code_digest"]})


def _still_asked(lines: Iterable[Line], sweep: Sweep, preset: str) -> dict[int, Line]:
    """Return the lines that the file still asks for and that are of the first one's data."""
    found = {}
    for line in lines:
        offset = line["seed"] - sweep.seed
        if (
            offset >= 0
            and resolve_sweep(sweep, preset, None, offset)["sweep_id"] == line["sweep_id"]
        ):
            found[offset] = line
    first = found[min(found)]["data_digest"] if found else ""
    return {at: found[at] for at in sorted(found) if found[at]["data_digest"] == first}


def _differs(sweep: Sweep, preset: str) -> list[str] | None:
    """Say how a sweep of a preset differs from that of the full protocol."""
    if FULL not in sweep.presets:
        return None
    own, full = (resolve_sweep(sweep, one) for one in (preset, FULL))
    said = list(differences(own["base"], full["base"]))
    digests = [{identity.digest(point) for point in one["points"]} for one in (own, full)]
    if digests[0] != digests[1]:
        said.append(f"{len(own['points'])} settings in place of {len(full['points'])}")
    if own["asha"] != full["asha"]:
        said.append("another rule of stopping early")
    return said
