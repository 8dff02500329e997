"""Draw a figure that needs no training, and log it to MLflow.

``python -m pipelines.draw_figure --targets workflow/targets --target figure9 --results DIR
--scratch DIR``
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import add_target, run_stage, stage_parser, target_file
from pipelines.tracking.descriptions import of_target
from pipelines.tracking.made_target import log_made
from structnets.figures.drawing import draw
from structnets.specs.target import load_drawing

logger = logging.getLogger("draw_figure")


def draw_figure(file: Path, results: Path, scratch: Path) -> list[Path]:
    """Draw a target's file below `results` and log it; whatever happens to MLflow, it stands."""
    drawing = load_drawing(file)
    target = drawing.target
    files = draw(drawing.drawing, results / "figures" / target, title=drawing.title)
    named = {f"figures-{path.name}": path for path in files}
    note = of_target(target, "drawn", drawing.title, drawing.caption, "Drawn by code: no training.")
    log_made(target, "drawn", named, [], results, scratch, note=note)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__, "results", "scratch")
    add_target(parser)
    given = parser.parse_args(arguments)

    def action() -> None:
        for path in draw_figure(target_file(given), given.results, given.scratch):
            logger.info("wrote %s", path)

    return run_stage("draw_figure", action)


if __name__ == "__main__":
    sys.exit(main())
