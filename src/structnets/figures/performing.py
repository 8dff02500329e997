"""A figure of trained networks, with its numbers: `structnets analyse` and the stage."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from structnets.analysis.trained import Trained
from structnets.entries import load_path
from structnets.figures.context import Context, Measured
from structnets.figures.entries import FIGURES
from structnets.figures.style import Stem
from structnets.identity import digest
from structnets.specs.figure_options import check_models, find_figure
from structnets.specs.resolved import AskedAnalysis
from structnets.training import provenance
from structnets.training.weights_digest import weights_digest


def perform(
    resolved: AskedAnalysis,
    runs: Sequence[Trained],
    stem: Stem,
    work: Path,
    *,
    data_root: Path | None = None,
    device: torch.device | str = "cpu",
    threads: int = 1,
) -> dict[str, Any]:
    """Draw the figure of a resolved analysis and measure its values.

    Parameters
    ----------
    resolved : dict
        As `structnets.specs.analysis.resolve_analysis` gives it.
    runs : sequence of Trained
        The networks of its models, in their order.
    stem : Stem
    work : Path
        Folder for what an interrupted analysis keeps; removed at the end.
    data_root : Path, optional
        Where the original data sets lie, for analyses of images that are in no prepared set.
    device : torch.device
        Where to compute.
    threads : int
        Of this process.

    Returns
    -------
    dict
        ``analysis_id``, what was asked for, ``values`` by name, and where they come from.
    """
    begun, device = time.monotonic(), torch.device(device)
    torch.set_num_threads(threads)
    name, target = resolved["analysis"], resolved["target"]
    check_models(name, len(runs), target)
    entry = find_figure(name, target)
    options = load_path(str(entry.options)).model_validate(resolved["options"])
    hardware = provenance.hardware(device, threads, 1)
    context = Context(
        runs=list(runs),
        stem=stem,
        work=work / f"{resolved['analysis_id']}-{_measured_of(runs)}",
        title=resolved["title"],
        note=note_of(resolved, runs, hardware["class"]),
        data_root=data_root,
        device=device,
    )
    measured: list[Measured] = FIGURES.load(entry)(context, options)
    result = {
        **{key: resolved[key] for key in resolved if key != "title"},
        "values": {m.name: {"value": m.value, "n": m.n} for m in measured},
        "data": [run.data for run in runs],
        "data_digests": [run.manifest["digest"] for run in runs],
        "hardware": hardware,
        "versions": provenance.versions(),
        "git": provenance.git_state(),
        "wall_s": time.monotonic() - begun,
    }
    for kept in work.glob(f"{resolved['analysis_id']}-*"):  # of these weights, and of earlier ones
        shutil.rmtree(kept, ignore_errors=True)
    return result


def _measured_of(runs: Sequence[Trained]) -> str:
    """Name weights and data, so that what is kept of an interrupted analysis is of no others."""
    measured = [
        [run.run_id, run.manifest["digest"], weights_digest(run.model.state_dict())] for run in runs
    ]
    return digest(measured)[:8]


def note_of(resolved: AskedAnalysis, runs: Sequence[Trained], hardware: str) -> str:
    """Say in one line which preset, data and hardware a figure is of."""
    parts = [f"preset {resolved['preset']}"] if resolved["preset"] else []
    if runs:
        parts.append("data " + ", ".join(dict.fromkeys(run.data for run in runs)))
    parts.append(f"hardware {hardware}")
    if resolved["preset"] == "smoke":
        parts.append("proves the wiring, not comparable with the thesis")
    return " · ".join(parts)
