"""What the report says of each target, in the order in which it says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from structnets.files import read_json
from structnets.reporting import results as measured
from structnets.reporting.findings import Finding
from structnets.reporting.rendering import Rendering
from structnets.reporting.report.pictures import picture_of
from structnets.reporting.searches import Search
from structnets.specs.analysis import Analysis
from structnets.specs.drawing import Drawing
from structnets.specs.interpretation import Interpretation
from structnets.specs.sweep import Sweep
from structnets.specs.table import Table
from structnets.specs.target import load_targets

CHAPTERS: dict[int | None, str] = {
    3: "Structured receptive fields",
    4: "Frames and steering",
    5: "Hierarchical attributes",
    6: "Invertible networks",
    None: "Own targets",
}
_KINDS = {
    "table": "Table",
    "figure": "Figure",
    "analysis": "Analysis",
    "drawing": "Drawing",
    "sweep": "Search",
}
# The picture of a chapter on the first page: the first of these that there is.
_FIRST = {
    3: ("figure6", "figure5", "figure1"),
    4: ("figure11", "figure10", "figure9"),
    5: ("figure14", "figure15", "figure12"),
    6: ("figure20", "figure19", "figure16"),
}


@dataclass(frozen=True)
class Entry:
    """One target, as the report shows it.

    Attributes
    ----------
    name, kind, title, caption : str
        Of the target.
    chapter : int or None
        Of the thesis.
    picture : str or None
        A ``data:`` address.
    picture_preset : str or None
        The preset that an analysis' picture is of.
    rendering : Rendering or None
        Cells of a table.
    finding : Finding or None
        Values of an analysis.
    search : Search or None
        Trials of a sweep.
    readings : sequence of Interpretation
        How the thesis was read for it.
    again : sequence of str
        Commands that make it, and one cell of it, again.
    """

    name: str
    kind: str
    title: str
    caption: str
    chapter: int | None
    picture: str | None = None
    picture_preset: str | None = None
    rendering: Rendering | None = None
    finding: Finding | None = None
    search: Search | None = None
    readings: tuple[Interpretation, ...] = ()
    again: tuple[str, ...] = ()

    @property
    def run_ids(self) -> list[str]:
        """List the runs behind it."""
        if self.rendering is not None:
            return self.rendering.run_ids()
        if self.search is not None:
            return self.search.sweep_ids
        return self.finding.run_ids if self.finding else []

    @property
    def measured(self) -> bool:
        """Say whether anything was measured for it; an analysis of layers alone has no runs."""
        return bool(self.run_ids or self.finding)


@dataclass(frozen=True)
class Chapter:
    """The targets of one chapter."""

    number: int | None
    title: str
    entries: tuple[Entry, ...]
    first: Entry | None = field(default=None)


def chapters(results: Path, ledger: Path, targets_dir: Path) -> list[Chapter]:
    """Collect every target, chapter by chapter.

    Parameters
    ----------
    results : pathlib.Path
        Root of the results: where pictures of trained nets lie.
    ledger, targets_dir : pathlib.Path
        Folders of the ledger and of target files; experiments lie beside the latter.
    """
    targets = load_targets(targets_dir)
    experiments = targets_dir.parent / "experiments"
    merged = map(measured.merged, measured.renderings(ledger, targets_dir, experiments))
    tables = {rendering.table.target: rendering for rendering in merged}
    findings = {
        one.line["target"]: one for one in measured.findings_of(ledger, targets_dir, experiments)
    }
    searches = {one.sweep.target: one for one in measured.searches_of(ledger, targets_dir)}
    entries = [
        _entry(target, tables.get(name), findings.get(name), searches.get(name), results)
        for name, target in sorted(targets.all.items(), key=lambda item: _place(item[0]))
    ]
    return [
        Chapter(number, title, own, _first(number, own))
        for number, title in CHAPTERS.items()
        if (own := tuple(entry for entry in entries if entry.chapter == number))
    ]


def _entry(
    target: Table | Analysis | Drawing | Sweep,
    rendering: Rendering | None,
    finding: Finding | None,
    search: Search | None,
    results: Path,
) -> Entry:
    return Entry(
        name=target.target,
        kind=_KINDS[target.kind],
        title=target.title,
        caption=target.caption,
        chapter=target.chapter,
        picture=picture_of(target, rendering, results, search),
        picture_preset=_preset_of_picture(target, results),
        rendering=rendering,
        finding=finding,
        search=search,
        readings=tuple(target.interpretations),
        again=tuple(_again(target, rendering)),
    )


def _preset_of_picture(target: Table | Analysis | Drawing | Sweep, results: Path) -> str | None:
    written = results / "analyses" / f"{target.target}.json"
    if not isinstance(target, Analysis) or _is_of_smoke(target) or not written.is_file():
        return None
    return read_json(written).get("preset")


def _again(
    target: Table | Analysis | Drawing | Sweep, rendering: Rendering | None
) -> Iterable[str]:
    """Yield the commands that make a target again, and one measured cell of it."""
    call = f"snakemake --profile profiles/local {target.target}"
    if isinstance(target, Drawing):
        yield call
        return
    if _is_of_smoke(target):
        yield call
        return
    cells = rendering.measured() if rendering else []
    yield f"{call} --config preset={cells[0].preset if cells else 'small'} data_root=DIR"
    if cells:
        one = cells[0]
        yield f"structnets reproduce {one.target} {one.row} {one.column} --run --data-root DIR"


def _is_of_smoke(target: Table | Analysis | Sweep) -> bool:
    """Say whether built-in data give a target its result, as they do the demo's."""
    if isinstance(target, Table):
        return target.result_in_smoke
    return set(target.presets) == {"smoke"}


def _first(number: int | None, entries: Iterable[Entry]) -> Entry | None:
    """Return the entry whose picture stands for a chapter."""
    shown = {
        entry.name: entry for entry in entries if entry.picture and entry.picture_preset != "smoke"
    }
    wanted = [name for name in _FIRST.get(number or 0, ()) if name in shown]
    return shown[wanted[0]] if wanted else next(iter(shown.values()), None)


def _place(name: str) -> tuple[str, int, str]:
    """Sort ``table10`` behind ``table9``, tables before figures before the rest."""
    stem = name.rstrip("0123456789")
    order = {"table": "0", "figure": "1"}.get(stem, "2" + stem)
    return (order, int(name[len(stem) :] or 0), name)


def counts(found: Iterable[Chapter]) -> Mapping[str, int]:
    """Count targets, runs and measured cells."""
    entries = [entry for chapter in found for entry in chapter.entries]
    cells = [cell for e in entries if e.rendering for cell in e.rendering.measured()]
    return {
        "targets": len(entries),
        "measured": sum(entry.measured for entry in entries),
        "runs": len({run for entry in entries for run in entry.run_ids}),
        "cells": len(cells),
        "stale": sum(cell.stale for cell in cells),
    }
