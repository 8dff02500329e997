"""Table cells: mean, spread and gap to the thesis, from ledger lines and local results."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets import identity
from structnets.reporting.ledger import Line, ledger_line
from structnets.reporting.pooling import data_of, different_data, pooled_score, whole_repetitions
from structnets.reporting.protocol import FULL, chance_level, did_not_train, differences
from structnets.reporting.requests import Experiments, cell_key, cell_spec, full_spec
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.table import COUNTS, Table
from structnets.training.stated_result import metric, read_result

Status = Literal["measured", "counted", "reported", "refused", "not run"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """One cell of one preset.

    Attributes
    ----------
    target, row, column, preset : str
        Where it stands.
    data : str or None
        Prepared data set and variant, ``mnist-n300``.
    mean, sd : float or None
        Over the runs; sd with n - 1, None for one run. What is counted of a model has no runs.
    n : int
        Number of runs.
    thesis, gap : float or None
        The thesis' number, and mean minus it. Only a comparable cell has a gap.
    comparable : bool
        Whether the cell's runs have the full protocol: their spec is that of the preset ``paper``
        in all but seed and preset.
    differs : list of str
        In words, how the spec differs from the full protocol's.
    chance : float or None
        What guessing scores (`structnets.reporting.protocol.chance_level`).
    untrained : int
        Runs among them that ended where guessing does.
    uncommitted : list of str
        Runs among them whose code had changes that were not committed.
    hardware : str or None
        Classes of the machines, ``cpu``, ``gpu`` or ``cpu+gpu``.
    run_ids : list of str
        The runs, sorted.
    stale : bool
        Whether the code of a run has changed since, or may have (`structnets.reporting.freshness`).
    status : {'measured', 'counted', 'reported', 'refused', 'not run'}
        What the numbers are; none are shown where they are refused.
    pooled : float or None
        Of a whole cross-validation: over all held-out samples at once
        (`structnets.reporting.pooling`).
    counts : dict or None
        Of a cohort: how many scans were used, flagged, excluded and left out.
    refusal : str or None
        Why the runs there are do not make a number: they were made from different data.
    version : tuple of str, str, or None
        Name and digest of the prepared data that the runs were made from.
    repetitions : dict of int to numpy.ndarray
        Of a cohort: held-out predictions (`structnets.reporting.pooling.whole_repetitions`).
    """

    target: str
    row: str
    column: str
    preset: str
    data: str | None
    mean: float | None
    sd: float | None
    n: int
    thesis: float | None
    gap: float | None
    hardware: str | None
    run_ids: list[str]
    stale: bool
    status: Status
    pooled: float | None = None
    counts: dict[str, int] | None = None
    refusal: str | None = None
    version: tuple[str, str] | None = None
    repetitions: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)
    comparable: bool = False
    differs: list[str] = field(default_factory=list)
    chance: float | None = None
    untrained: int = 0
    uncommitted: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as plain JSON, with counts and a refusal only where there are any.

        Which version of the data it is, and what was predicted, the runs tell.
        """
        found = asdict(self)
        del found["version"], found["repetitions"]
        return {k: v for k, v in found.items() if v is not None or k not in ("counts", "refusal")}


def local_lines(results: Path) -> dict[str, Line]:
    """Read ``<results>/runs/*/result.json`` as ledger lines, by run id.

    Raises
    ------
    ValueError
        If one is damaged, or is not of the run that its folder is called after.
    """
    found = (ledger_line(read_result(path)) for path in results.glob("runs/*/result.json"))
    return {line["run_id"]: line for line in found}


def cells_of(
    table: Table,
    experiments: Experiments,
    preset: str,
    lines: Iterable[Line],
    changed: Callable[[Line], bool] = lambda line: False,
) -> list[Cell]:
    """Compute every cell of a table for one preset.

    Parameters
    ----------
    table : Table
        The table.
    experiments : mapping of str to Experiment
        From `structnets.reporting.requests.load_experiments`.
    preset : {'smoke', 'small', 'paper'}
        Whose specs the cells have. Runs of equal science fill a cell whichever preset trained them.
    lines : iterable of dict
        Ledger lines of any runs, each run once.
    changed : callable, optional
        Whether a line's cell is marked, `structnets.reporting.freshness.is_stale` for example;
        only lines that stand in a cell are asked about. By default none is marked.

    Returns
    -------
    list of Cell
        Row by row.
    """
    runs: dict[str, list[Line]] = {}
    for line in lines:
        runs.setdefault(cell_key(line["spec"]), []).append(line)
    cells = []
    for row in table.rows:
        taken = set()
        for column in table.columns:
            if row.reported is not None:
                cells.append(_reported(table, preset, row.key, column.key))
                continue
            spec = cell_spec(table, experiments, preset, row.key, column.key)
            full = full_spec(table, experiments, row.key, column.key)
            if column.metric in COUNTS:
                cells.append(_counted(table, row.key, column.key, preset, full or spec))
                continue
            # Where a preset makes columns equal (smoke has one size), only the first has runs.
            key, asked = cell_key(spec), table.metric_of(column.key)
            shown = (key, asked) in taken
            none = shown or preset not in column.presets or preset not in row.runs_in
            found = [] if none else _one_a_seed(runs.get(key, []), preset)
            taken.add((key, asked))
            cells.append(_run_cell(table, row.key, column.key, (spec, full), found, changed))
    return cells


def _one_a_seed(lines: list[Line], preset: str) -> list[Line]:
    """Keep one line of each seed, that of the preset if there is one, in the order of run ids."""
    by_seed = {
        line["spec"]["seed"]: line
        for line in sorted(
            lines, key=lambda line: (line["spec"]["preset"] == preset, line["run_id"])
        )
    }
    return sorted(by_seed.values(), key=itemgetter("run_id"))


def _reported(table: Table, preset: str, row: str, column: str) -> Cell:
    value = table.thesis_value(row, column)
    status: Status = "not run" if value is None else "reported"
    return Cell(
        table.target, row, column, preset, None, None, None, 0, value, None, None, [], False, status
    )


def _counted(table: Table, row: str, column: str, preset: str, spec: ResolvedSpec) -> Cell:
    """Count what the thesis counted: the model of the full protocol, whatever the preset."""
    from structnets.models.counting import count

    value = count(spec, table.metric_of(column))
    thesis = table.thesis_value(row, column)
    return Cell(
        table.target,
        *(row, column, preset, None, value, None, 0, thesis, None, None, [], False, "counted"),
        comparable=spec["preset"] == FULL,
    )


def _run_cell(
    table: Table,
    row: str,
    column: str,
    specs: tuple[ResolvedSpec, ResolvedSpec | None],
    lines: list[Line],
    changed: Callable[[Line], bool],
) -> Cell:
    spec, full = specs
    if refusal := different_data(lines):
        logger.warning("%s, row %s, column %s: %s", table.target, row, column, refusal)
        lines = []
    values = [metric(line, table.metric_of(column)) for line in lines]
    mean = statistics.fmean(values) if values else None
    repetitions = whole_repetitions(lines)
    thesis = table.thesis_value(row, column)
    comparable = full is not None and cell_key(spec) == cell_key(full)
    classes = sorted({line["hardware"]["class"] for line in lines})
    return Cell(
        target=table.target,
        row=row,
        column=column,
        preset=spec["preset"],
        data=f"{identity.prepared_name(spec['data'])}-{identity.data_variant(spec)}",
        mean=mean,
        sd=statistics.stdev(values) if len(values) > 1 else None,
        n=len(values),
        thesis=thesis,
        gap=mean - thesis if comparable and mean is not None and thesis is not None else None,
        hardware="+".join(classes) or None,
        run_ids=[line["run_id"] for line in lines],
        stale=any(map(changed, lines)),
        status="measured" if values else ("refused" if refusal else "not run"),
        pooled=pooled_score(repetitions, table.metric_of(column)),
        counts=lines[0].get("data_counts") if lines else None,
        refusal=refusal,
        version=data_of(lines[0]) if lines else None,
        repetitions=repetitions,
        comparable=comparable,
        differs=differences(spec, full) if full is not None else [],
        chance=chance_level(spec, table.metric_of(column), lines),
        untrained=sum(map(did_not_train, lines)),
        uncommitted=[line["run_id"] for line in lines if str(line["commit"]).endswith("-dirty")],
    )
