"""``structnets export RUN --format FORMAT --out FILE``: a trained net for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from structnets.cli.printing import print_json
from structnets.cli.trained_run import add_run, load_asked

EXAMPLES = (
    ("structnets export RUN_ID --format torch --out net.pt2", "for torch.export.load"),
    ("structnets export RUN_ID --format onnx --out net.onnx", "for any ONNX runtime"),
)
NOTES = """\
Structured layers become plain ones. The input is (B, C, H, W) in [0, 1], the output probabilities,
or the estimate of a score in its units.
What is written is loaded again and compared with the net that was trained."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_run(parser)
    parser.add_argument("--format", choices=("onnx", "torch"), required=True, help="of the file")
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="the file")


def run(options: argparse.Namespace) -> None:
    """Write the net."""
    from structnets.prediction.export import export

    done = export(load_asked(options), options.format, options.out)
    if options.json:
        print_json(done)
    else:
        print(
            f"wrote {done['file']} ({done['format']}): plain layers, whose probabilities differ by "
            f"at most {done['largest_difference']:.1g} from the trained net's"
        )
