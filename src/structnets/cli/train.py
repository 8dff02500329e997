"""``structnets train SPEC.json``: runs where only torch and numpy are installed."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.cli.printing import print_json
from structnets.files import read_json

if TYPE_CHECKING:
    from structnets.specs.resolved import ResolvedSpec

EXAMPLES = (
    (
        "structnets train spec.json --data data/prepared/mnist --out trained",
        "train, evaluate and write result.json, model.pt and curves.csv into trained/",
    ),
    (
        "torchrun --nproc-per-node 2 -m structnets.cli train spec.json "
        "--data data/prepared/mnist --out trained",
        "the same by two processes",
    ),
)
NOTES = """\
A killed training goes on from its last checkpoint when the same call is made again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC.json", help="resolved spec")
    for option, what in (("data", "prepared data set"), ("out", "folder of result.json, model.pt")):
        parser.add_argument(f"--{option}", type=Path, metavar="DIR", required=True, help=what)
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="checkpoints (default: work/ in the out folder)"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: a GPU if there is one")
    parser.add_argument("--threads", type=int, default=1, help="of each process (default: 1)")


def run(options: argparse.Namespace) -> None:
    """Train the spec."""
    from structnets.data.prepared.manifest import load_manifest
    from structnets.forms.asked_data import refuse_other_images
    from structnets.training.run import run_spec

    spec = _checked_where_possible(read_json(options.spec))
    out = options.out.resolve()
    work = out / "work" if options.work is None else options.work.resolve()
    with _torchrun_group(options.device) as device:
        refuse_other_images(spec, load_manifest(options.data), options.data)
        result = run_spec(
            spec, options.data.resolve(), out, work, device=device, threads=options.threads
        )
    if options.json and os.environ.get("RANK", "0") == "0":
        print_json(result)


def _checked_where_possible(spec: ResolvedSpec) -> ResolvedSpec:
    """Validate a spec, unless only torch and numpy are here: then it must be a resolved one."""
    try:
        from structnets.specs.spec import validate
    except ModuleNotFoundError as error:
        if str(error.name).startswith("structnets"):
            raise
        return spec
    return validate(spec)


@contextlib.contextmanager
def _torchrun_group(kind: str | None) -> Iterator[str]:
    """Join the process group that torchrun describes, if any; yield this process' device."""
    import torch
    from torch import distributed

    kind = kind or ("cuda" if torch.cuda.is_available() else "cpu")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch finds no GPU here; leave it out, or say cpu")
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield kind
        return
    device = f"cuda:{os.environ['LOCAL_RANK']}" if kind == "cuda" else kind
    if kind == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()
