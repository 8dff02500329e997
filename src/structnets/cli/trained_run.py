"""The arguments that name a trained net, shared by the commands that use one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.entries import add_trust

if TYPE_CHECKING:
    from structnets.prediction import Loaded


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run, the root for run ids, the device, and ``--trust``."""
    parser.add_argument(
        "trained",
        metavar="RUN",
        help="folder of a run, a run id, or an MLflow address (runs:/ID, models:/m-ID)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        default=Path("results"),
        help="root of the runs, for a run id or an MLflow address (default: results)",
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1 …")
    add_trust(parser)


def load_asked(options: argparse.Namespace) -> Loaded:
    """Load the net that the arguments name; raises as `structnets.load`."""
    from structnets.prediction import load

    return load(options.trained, options.device, results=options.results, trusted=options.trust)
