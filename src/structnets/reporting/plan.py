"""The plan of a workflow call: runs, analyses and sweeps of its targets, and which must be made.

Everything in it follows from the target and experiment files, the configuration and the ledger, all
known before any data exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from structnets import identity
from structnets.reporting.ledger import read_ledger
from structnets.reporting.requests import (
    Experiments,
    cell_key,
    cell_spec,
    is_called,
    load_experiments,
    requested_specs,
)
from structnets.specs.analysis import (
    Analysis,
    load_models_experiments,
    model_specs,
    resolve_analysis,
)
from structnets.specs.configuration import Configuration
from structnets.specs.drawing import Drawing
from structnets.specs.experiment import Contents, Experiment, Resources
from structnets.specs.resolved import Preset, ResolvedAnalysis, ResolvedSpec, ResolvedSweep
from structnets.specs.sweep import resolve_sweep
from structnets.specs.table import Table
from structnets.specs.target import load_targets

BATCH_SIZE = 32  # specs of one job; a shell command holds at most 128 KiB


@dataclass(frozen=True)
class Plan:
    """What a call makes.

    Attributes
    ----------
    tables : dict of str to Table
        All targets that are tables or figures.
    specs : dict of str to dict
        Resolved spec of every requested run, by run id, in the ledger or not.
    requested : dict of str to list of str
        By target: the runs it asks for.
    needed : dict of str to list of str
        By target: those of them that must be in the results, as the ledger has no run of their
        science and seed under any preset.
    uses : dict of str to list of str
        By run id: where a run counts: cells as ``target/row/column``, and analyses by name.
    resources : dict of str to Resources
        By run id: what a training is given, of the experiment that first asks for it.
    batches : dict of str to list of str
        By rule name: runs that share one training job.
    sweeps : dict of str to dict
        By target: the resolved sweep.
    analyses : dict of str to dict
        By target: the resolved analysis, for those that have the preset.
    drawings : dict of str to Drawing
        By target: what is drawn by code.
    """

    tables: dict[str, Table]
    specs: dict[str, ResolvedSpec]
    requested: dict[str, list[str]]
    needed: dict[str, list[str]]
    uses: dict[str, list[str]]
    resources: dict[str, Resources]
    batches: dict[str, list[str]]
    sweeps: dict[str, ResolvedSweep]
    analyses: dict[str, ResolvedAnalysis]
    drawings: dict[str, Drawing]

    @property
    def targets(self) -> list[str]:
        """Names of all that can be asked for, sorted."""
        return sorted([*self.tables, *self.analyses, *self.drawings, *self.sweeps])


def make_plan(configuration: Configuration, contents: Contents | None = None) -> Plan:
    """Read the files a configuration points to and lay out what they ask for.

    Parameters
    ----------
    configuration : Configuration
        What the user set.
    contents : callable, optional
        Tells which content the user's own data have (`structnets.cohorts.content.Contents`).

    Raises
    ------
    ValueError, FileNotFoundError
        If a file is not valid or missing, or if rows or columns are asked for that no table has.
    """
    targets = load_targets(Path(configuration.targets))
    tables = targets.tables
    _check_known(tables, configuration)
    folder = Path(configuration.experiments)
    experiments = load_experiments(folder, list(tables.values()), contents)
    ledger = read_ledger(Path(configuration.ledger_root)) if configuration.ledger == "use" else {}
    specs: dict[str, ResolvedSpec] = {}
    resources: dict[str, Resources] = {}
    requested: dict[str, list[str]] = {}
    seeds = None if configuration.seeds is None else range(configuration.seeds)
    for target, table in tables.items():
        requests = requested_specs(
            table,
            experiments,
            configuration.preset,
            configuration.rows,
            configuration.columns,
            seeds,
        )
        found = {request.run_id: request.spec for request in requests}
        specs.update(found)
        for request in requests:
            experiment = experiments[str(table.row(request.row).experiment)]
            resources.setdefault(request.run_id, _given(experiment, request.spec, configuration))
        requested[target] = list(found)
    sweeps = {
        name: resolve_sweep(sweep, configuration.preset, contents, configuration.seed_offset)
        for name, sweep in targets.sweeps.items()
    }
    measured = {_science(line["spec"]) for line in ledger.values()}
    needed = {
        target: [run for run in runs if _science(specs[run]) not in measured]
        for target, runs in requested.items()
    }
    uses = _uses(tables, experiments, configuration.preset, specs)
    analyses = _analyses(targets.analyses, configuration, contents)
    for target, (_, analysed) in analyses.items():
        specs.update({run: spec for run, (spec, _) in analysed.items()})
        needed[target] = list(analysed)  # the ledger holds no weights
        for run, (spec, experiment) in analysed.items():
            resources.setdefault(run, _given(experiment, spec, configuration))
            uses[run] = sorted({*uses.get(run, []), target})
    training = list(dict.fromkeys(run for runs in needed.values() for run in runs))
    return Plan(
        tables=tables,
        specs=specs,
        requested=requested,
        needed=needed,
        uses=uses,
        resources=resources,
        batches=_batches(training, specs, resources, configuration),
        sweeps=sweeps,
        analyses={target: resolved for target, (resolved, _) in analyses.items()},
        drawings=targets.drawings,
    )


def _science(spec: ResolvedSpec) -> tuple[str, int]:
    return cell_key(spec), spec["seed"]


def _analyses(
    found: dict[str, Analysis],
    configuration: Configuration,
    contents: Contents | None,
) -> dict[str, tuple[ResolvedAnalysis, dict[str, tuple[ResolvedSpec, Experiment]]]]:
    """Resolve the analyses of a preset; with each its runs, their specs and experiments."""
    chosen = {
        target: analysis.shifted(configuration.seed_offset)
        for target, analysis in found.items()
        if configuration.preset in analysis.presets
    }
    folder = Path(configuration.experiments)
    experiments = load_models_experiments(folder, chosen.values(), contents)
    return {
        target: (
            resolve_analysis(
                analysis, experiments, configuration.preset, configuration.seed_offset
            ),
            _analysed(analysis, experiments, configuration.preset),
        )
        for target, analysis in chosen.items()
    }


def _analysed(
    analysis: Analysis, experiments: Experiments, preset: Preset
) -> dict[str, tuple[ResolvedSpec, Experiment]]:
    """Return spec and experiment of an analysis' runs, by run id."""
    specs = model_specs(analysis, experiments, preset)
    return {
        identity.run_id(specs[model.key]): (specs[model.key], experiments[model.experiment])
        for model in analysis.models_of(preset)
    }


def _given(experiment: Experiment, spec: ResolvedSpec, configuration: Configuration) -> Resources:
    """Return what an experiment asks for, with no more nodes than are configured or have work."""
    preset = configuration.preset
    usual = Resources(size="small" if preset == "smoke" else "medium")
    asked = experiment.resources.get(preset, usual)
    most = [asked.nodes, configuration.workers_of(spec["model"]["name"])]
    if configuration.nodes is not None:
        most.append(configuration.nodes)
    return asked.model_copy(update={"nodes": min(most)})


def _check_known(tables: dict[str, Table], configuration: Configuration) -> None:
    preset = configuration.preset
    parts = {
        "rows": [one for table in tables.values() for one in table.rows_of(preset)],
        "columns": [one for table in tables.values() for one in table.columns_of(preset)],
    }
    for what, known in parts.items():
        for name in getattr(configuration, what) or []:
            if name != "all" and not any(is_called(part, name) for part in known):
                listed = ", ".join(["all", *sorted({part.key for part in known})])
                raise ValueError(f"{what}={name}: no table has it; allowed: {listed}")


def _uses(
    tables: dict[str, Table],
    experiments: Experiments,
    preset: Preset,
    specs: dict[str, ResolvedSpec],
) -> dict[str, list[str]]:
    """Find every cell a run counts for, also where the target did not ask for its seed."""
    cells: dict[str, set[str]] = {}
    for table in tables.values():
        for row in table.run_rows(preset):
            for column in table.run_columns(preset):
                spec = cell_spec(table, experiments, preset, row, column)
                place = f"{table.target}/{row}/{column}"
                cells.setdefault(cell_key(spec), set()).add(place)
    return {run: sorted(cells[cell_key(spec)]) for run, spec in specs.items()}


def _batches(
    training: list[str],
    specs: dict[str, ResolvedSpec],
    resources: dict[str, Resources],
    configuration: Configuration,
) -> dict[str, list[str]]:
    """Group the short runs of smoke by chapter, workers and nodes, so that they share a start."""
    if configuration.preset != "smoke":
        return {}
    groups: dict[str, list[str]] = {}
    for run in training:
        workers = configuration.workers_of(specs[run]["model"]["name"])
        name = f"train_{identity.chapter_name(specs[run].get('chapter'))}_workers{workers}"
        if resources[run].nodes > 1:
            name += f"_nodes{resources[run].nodes}"
        groups.setdefault(name, []).append(run)
    return {
        f"{name}_{number}": part
        for name, runs in groups.items()
        for number, part in enumerate(_parts(runs))
    }


def _parts(runs: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(runs), BATCH_SIZE):
        yield runs[start : start + BATCH_SIZE]
