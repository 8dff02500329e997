"""``structnets analyse ANALYSIS``: any analysis of any trained networks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, cast

from structnets.cli.printing import print_json, waiting
from structnets.entries import add_trust
from structnets.figures.entries import FIGURES
from structnets.specs.resolved import AskedAnalysis

EXAMPLES = (
    (
        "structnets analyse learned_filters --run trained --prepared data/prepared --out figures",
        "draw the filters that a net has learned",
    ),
    (
        "structnets analyse stability --run trained --prepared data/prepared --out figures --json",
        "in which precision an invertible net can be inverted, as JSON",
    ),
    (
        "structnets analyse workflow/targets/figure8.yaml --run trained --prepared data/prepared "
        "--out figures",
        "an analysis with the options that a file of it states",
    ),
)


def _analyses() -> str:
    """List the analyses there are, with what each is."""
    notes = {}
    for name in FIGURES.names():
        try:
            entry = FIGURES.find(name)
        except (ImportError, ValueError):
            continue  # of a package that cannot be read; who asks for it by name is told why
        if not entry.drawn:
            notes[name] = entry.note
    width = max(map(len, notes)) + 2
    return "\n".join(["analyses:", *(f"  {name:{width}}{note}" for name, note in notes.items())])


NOTES = _analyses()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "what", metavar="ANALYSIS", help="its name (see below), or an analysis file"
    )
    parser.add_argument(
        "--run",
        dest="folders",
        type=Path,
        metavar="DIR",
        action="append",
        default=[],
        help="folder of model.pt and spec.json; several in the order of the figure",
    )
    for option, what in (
        ("prepared", "root of the prepared data sets"),
        ("out", "folder of the figure and its values"),
    ):
        parser.add_argument(f"--{option}", type=Path, metavar="DIR", required=True, help=what)
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="where the original data sets lie"
    )
    parser.add_argument(
        "--options", type=_json, metavar="JSON", default={}, help="over the defaults"
    )
    add_trust(parser)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--threads", type=int, default=1, help="of this process (default: 1)")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not valid JSON ({error}): {text!r}") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f'write options as {{"name": value}}, not {text!r}')
    return found


def run(options: argparse.Namespace) -> None:
    """Perform the analysis and write its figure and values."""
    resolved = _asked_for(options.what, options.options)
    from structnets.analysis.trained import load_run
    from structnets.figures.performing import perform
    from structnets.files import write_json
    from structnets.identity import digest, science

    runs = [
        load_run(
            folder, options.prepared, options.device, key=f"run{number}", trusted=options.trust
        )
        for number, folder in enumerate(options.folders, start=1)
    ]
    resolved |= {
        "preset": runs[0].spec["preset"] if runs else None,
        "models": [{"key": run.key, "label": run.label, "run_id": run.run_id} for run in runs],
    }
    # What an interrupted call kept serves one that asks for the same of the same runs only.
    resolved["analysis_id"] = f"{resolved['target']}-{digest(science(resolved))[:8]}"
    stem = options.out.resolve() / resolved["target"]
    with waiting(f"performing {resolved['target']}"):
        result = perform(
            cast("AskedAnalysis", resolved),
            runs,
            stem,
            options.out.resolve() / "work",
            data_root=options.data_root,
            device=options.device,
            threads=options.threads,
        )
    write_json(stem.with_suffix(".json"), result)
    print(f"wrote {stem}.svg, .png, .csv and .json", file=sys.stderr)
    if options.json:
        print_json(result)


def _asked_for(what: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return what `resolve_analysis` would, for a name or an analysis file, without models."""
    from structnets.specs.figure_options import check_options, find_figure
    from structnets.specs.target import load_analysis

    if what.endswith((".yaml", ".yml")):
        file = load_analysis(Path(what))
        name, target, title = file.analysis, file.target, file.title
        chosen = {**file.options, **given}
    else:
        name, target, chosen = what, what.rpartition(":")[2].lower(), given
        title = find_figure(what, "ANALYSIS").note.capitalize()
    return {
        "target": target,
        "title": title,
        "analysis": name,
        "options": check_options(name, chosen, "--options"),
    }
