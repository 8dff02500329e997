"""Make the figures of analyses of trained networks, with their numbers, and log them to MLflow.

``python -m pipelines.analyse --analysis JSON_OR_FILE [--analysis …] --prepared DIR --results DIR
--scratch DIR [--data-root DIR] [--threads N] [--trust NAME …]``

An analysis is a resolved one of `structnets.specs.analysis`; several share one process. Each ends
as ``<results>/figures/<target>.{svg,png,csv}`` and ``<results>/analyses/<target>.json``, the last
written. A killed one goes on from the parts it kept in ``<scratch>/analyses``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from pipelines.tracking.descriptions import of_target
from pipelines.tracking.made_target import log_made
from structnets.entries import add_trust
from structnets.files import read_json, write_json
from structnets.specs.resolved import ResolvedAnalysis

logger = logging.getLogger("analyse")
ENDINGS = ("svg", "png", "csv")


def analyse(
    resolved: ResolvedAnalysis,
    prepared: Path,
    results: Path,
    scratch: Path,
    *,
    data_root: Path | None = None,
    threads: int = 1,
    trusted: Sequence[str] = (),
) -> dict[str, Any]:
    """Make one resolved analysis; returns what its JSON file holds."""
    import torch

    from structnets.analysis.trained import load_run
    from structnets.figures.performing import perform

    device = "cuda" if torch.cuda.is_available() else "cpu"
    runs = [
        load_run(
            results / "runs" / model["run_id"],
            prepared,
            device,
            key=model["key"],
            label=model["label"],
            trusted=trusted,
        )
        for model in resolved["models"]
    ]
    result = perform(
        resolved,
        runs,
        results / "figures" / resolved["target"],
        scratch / "analyses",
        data_root=data_root,
        device=device,
        threads=threads,
    )
    write_json(results / "analyses" / f"{resolved['target']}.json", result)
    return result


def track(result: dict[str, Any], title: str, results: Path, scratch: Path) -> None:
    """Log an analysis to MLflow; whatever happens there, the files stand."""
    target, preset = result["target"], result["preset"]
    figures = {
        f"figures-{target}.{end}": results / "figures" / f"{target}.{end}" for end in ENDINGS
    }
    values = {f"analyses-{target}.json": results / "analyses" / f"{target}.json"}
    log_made(
        target,
        preset,
        {**figures, **values},
        [model["run_id"] for model in result["models"]],
        results,
        scratch,
        {
            "analysis_id": result["analysis_id"],
            "hardware": result["hardware"]["class"],
            "data": ", ".join(dict.fromkeys(result["data"])),
        },
        of_target(target, preset, title, "", f"preset {preset}"),
        {name: found["value"] for name, found in result["values"].items()},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__, "prepared", "results", "scratch")
    parser.add_argument(
        "--analysis", action="append", required=True, help="resolved analysis, JSON text or file"
    )
    parser.add_argument("--data-root", type=absolute, help="where the original data sets lie")
    parser.add_argument("--threads", type=int, default=1, help="of this process (default: 1)")
    add_trust(parser)
    given = parser.parse_args(arguments)

    def action() -> None:
        for text in given.analysis:
            resolved = json.loads(text) if text.lstrip().startswith("{") else read_json(text)
            result = analyse(
                resolved,
                given.prepared,
                given.results,
                given.scratch,
                data_root=given.data_root,
                threads=given.threads,
                trusted=given.trust,
            )
            logger.info("%s: %d values", resolved["target"], len(result["values"]))
            track(result, resolved["title"], given.results, given.scratch)

    return run_stage("analyse", action)


if __name__ == "__main__":
    sys.exit(main())
