"""Draw a figure that needs no training, and log it to MLflow.

``python -m pipelines.draw_figure --target figure9 --results DIR --scratch DIR``
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import run_stage, stage_parser
from pipelines.tracking.made_target import log_made
from structnets.figures.drawn_figures import FIGURES, draw

logger = logging.getLogger("draw_figure")


def draw_figure(target: str, results: Path, scratch: Path) -> list[Path]:
    """Draw a figure below `results` and log it; whatever happens to MLflow, the files stand."""
    files = draw(target, results / "figures" / target)
    named = {f"figures-{path.name}": path for path in files}
    log_made(target, "drawn", named, [], results, scratch)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__, "results", "scratch")
    parser.add_argument("--target", choices=list(FIGURES), required=True, help="which figure")
    given = parser.parse_args(arguments)

    def action() -> None:
        for path in draw_figure(given.target, given.results, given.scratch):
            logger.info("wrote %s", path)

    return run_stage("draw_figure", action)


if __name__ == "__main__":
    sys.exit(main())
