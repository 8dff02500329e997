"""``structnets boundary-eval PREDICTIONS GROUNDTRUTH``."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from structnets.cli.printing import print_json
from structnets.processors import available_processors

EXAMPLES = (
    ("structnets boundary-eval predictions groundTruth", "four scores of thinned predictions"),
    (
        "structnets boundary-eval predictions groundTruth --nms edges --out scores",
        "of raw probability maps; files and a precision-recall plot lie in scores/",
    ),
    ("structnets boundary-eval predictions groundTruth --json", "every image's score as JSON"),
)
NOTES = """\
Predictions: a folder of <name>.png (grey), .npy or .mat (ucm2, or one matrix) of boundary
strengths in 0..1. Ground truth: a folder of BSDS <name>.mat files, of <name>.png, or of folders
<name> with one PNG per annotator. Raw probability maps need --nms; the settings are recorded in
the result. An image without a true pixel has recall 0 and counts every predicted pixel as false;
an all-zero prediction scores 0.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS", help="their folder")
    parser.add_argument("ground_truth", type=Path, metavar="GROUNDTRUTH", help="what people drew")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write JSON, CSV, plot; resume from there",
    )
    parser.add_argument(
        "--nms",
        choices=("none", "edges", "hed"),
        default="none",
        help="suppress non-maxima of raw maps; hed smooths them first (default: none)",
    )
    parser.add_argument("--thresholds", type=int, default=99, metavar="N", help="default: 99")
    parser.add_argument(
        "--max-distance",
        type=float,
        default=0.0075,
        metavar="PART",
        help="of the image's diagonal (default: 0.0075)",
    )
    parser.add_argument("--no-thinning", action="store_true", help="trust thin predictions")
    parser.add_argument(
        "--subset", action="store_true", help="leave out images without a prediction"
    )
    parser.add_argument(
        "--truth-threshold", type=float, metavar="PART", help="make grey PNG ground truth binary"
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: this machine's CPUs)"
    )


def run(options: argparse.Namespace) -> None:
    """Score the predictions."""
    from structnets.metrics.boundary import Settings, evaluate_boundaries

    settings = Settings(
        options.thresholds, options.max_distance, not options.no_thinning, options.nms
    )
    with _progress_bar() as show:
        report = evaluate_boundaries(
            options.predictions,
            options.ground_truth,
            settings,
            out=options.out,
            subset=options.subset,
            truth_threshold=options.truth_threshold,
            workers=available_processors() if options.workers is None else options.workers,
            progress=show,
        )
    if options.out is not None:
        from structnets.figures.boundary_plot import draw_evaluation

        draw_evaluation(report, options.out)
    if options.json:
        print_json(report)
    else:
        print(_words(report))


def _words(report: dict[str, Any]) -> str:
    ods, ois, r50 = report["ods"], report["ois"], report["r50"]
    return "\n".join(
        [
            f"ODS {ods['f']:.4f}  precision {ods['precision']:.4f}  recall {ods['recall']:.4f}"
            f"  threshold {ods['threshold']:.4f}",
            f"OIS {ois['f']:.4f}  precision {ois['precision']:.4f}  recall {ois['recall']:.4f}",
            f"AP  {report['ap']:.4f}",
            "R50 " + ("precision stays below one half" if r50 is None else f"{r50:.4f}"),
            f"{len(report['images'])} images, suppression: {report['settings']['nms']}",
        ]
    )


@contextlib.contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while images are evaluated."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("images", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("images", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
