"""One of two processes on one machine that train together; `test_workers` starts them.

``python worker_of_two.py RANK FOLDER`` reads ``FOLDER/specs.json`` and writes what it found to
``FOLDER/<name>-<alone or shared>-rank<RANK>.json``. Rank 0 trains alone first.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from structnets.data.batches.array_examples import Images
from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json, write_json
from structnets.forms.classification import Classification
from structnets.forms.splits.source import open_examples
from structnets.forms.workers import Workers
from structnets.models.mnist import WIDTH, MnistNet
from structnets.nn import GaussianConv2d
from structnets.training import loop
from structnets.training.loop import GradientTraining
from structnets.training.reporting import StoppedError

CPU = torch.device("cpu")
TASK = Classification()
RANK, FOLDER = int(sys.argv[1]), Path(sys.argv[2])


class StopRank:
    """Reporter that asks to stop on rank 1 only."""

    def __init__(self, at: int | None) -> None:
        self.at, self.asked = at, 0
        self.rows: list[dict[str, float]] = []

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        self.rows.append(row)

    def resumed(self, curve: list[dict[str, float]]) -> None:
        self.rows += curve

    def stop_requested(self) -> bool:
        self.asked += 1
        return RANK == 1 and self.asked == self.at


def plain_net() -> MnistNet:
    """Build a net without dropout, whose gradients do not depend on who computes them."""
    torch.manual_seed(0)
    layers = [
        GaussianConv2d(i, WIDTH, order=2, sigmas=(0.5,), kernel_size=3, bias=False)
        for i in (1, WIDTH, WIDTH)
    ]
    return MnistNet(layers, num_classes=3, image_size=23, dropout=(0, 0, 0, 0))


def train(spec: dict[str, Any], checkpoints: Path, stop: int | None = None) -> dict[str, Any]:
    model, splits = (
        plain_net(),
        open_examples(spec, FOLDER / "prepared", load_manifest(FOLDER / "prepared")),
    )
    reporter = StopRank(stop)
    training = GradientTraining(
        spec, model, TASK, splits["train"], splits.get("validation"), checkpoints, {}, {}, reporter
    )
    try:
        position = training.run()
    except StoppedError as error:
        return {"stopped": str(error)}
    test = splits["test"]
    return {
        "curve": [{k: v for k, v in row.items() if k != "images_per_s"} for row in position.curve],
        "told": len(reporter.rows),
        "test": asdict(TASK.measure(model, test, CPU)),
        "one image": attempt(model, replace(test, indices=test.indices[:1])),
        "norm": float(sum(p.detach().double().square().sum() for p in model.parameters())),
    }


def attempt(model: MnistNet, images: Images) -> str:
    try:
        return f"accuracy {TASK.measure(model, images, CPU).metrics['accuracy']}"
    except ValueError as error:
        return str(error)


def train_all(mode: str) -> None:
    for name, spec in read_json(FOLDER / "specs.json").items():
        found = {"whole": train(spec, FOLDER / f"{name}-{mode}")}
        if name == "stopped" and mode == "shared":
            found["first"] = train(spec, FOLDER / "parts", stop=2)
            Workers.current().barrier()  # a new group starts after the old one has ended
            found["second"] = train(spec, FOLDER / "parts")
        write_json(FOLDER / f"{name}-{mode}-rank{RANK}.json", found)


def main() -> None:
    torch.set_num_threads(1)
    loop.ASK_EVERY = 2
    if RANK == 0:
        train_all("alone")
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    meeting = f"file://{FOLDER}/meeting"
    distributed.init_process_group("gloo", init_method=meeting, rank=RANK, world_size=2)
    train_all("shared")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
