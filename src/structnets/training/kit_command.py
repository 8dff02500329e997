"""The command of a kit, ``python run.py`` in its folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from structnets.foreign.shown import log_to
from structnets.training.kit import RESERVE, Lent, train_kit


def main(kit: Path, begun: float) -> int:
    """Run it for a kit; return the exit code: 0 also if time ran out, 1 if a run failed.

    Parameters
    ----------
    kit : Path
        Its folder.
    begun : float
        When the call began (`time.monotonic`): importing this library is part of the time.
    """
    parser = argparse.ArgumentParser(
        description="Train the runs of this kit, the most wanted first, in the time there is."
    )
    parser.add_argument("--seconds", type=float, required=True, help="time there is for this call")
    parser.add_argument("--out", type=Path, required=True, help="folder that comes back")
    parser.add_argument("--resume", type=Path, help="what came back from an earlier call")
    parser.add_argument("--processes", type=int, help="trainings at a time (default: one a core)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: a GPU if there is one")
    options = parser.parse_args()
    log_to(sys.stderr, "%(message)s")
    import torch

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    processes = options.processes or os.cpu_count() or 1
    try:
        if options.seconds <= RESERVE or processes < 1:
            raise ValueError(
                f"--seconds must be above {RESERVE:.0f} and --processes at least 1; got "
                f"{options.seconds:g} and {processes}"
            )
        lent = Lent(options.seconds, processes, device, begun=begun)
        reached = train_kit(kit, options.out.resolve(), lent, options.resume)
    except (ValueError, OSError) as error:
        print(f"kit: {error}", file=sys.stderr)
        return 1
    print(json.dumps(reached))
    return 1 if reached["failed"] else 0
