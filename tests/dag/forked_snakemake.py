"""Snakemake in a fork of a process that has imported it already: its imports take seconds."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["snakemake.cli", "snakemake.workflow"])


@dataclass(frozen=True)
class Done:
    """Exit code and everything printed."""

    code: int
    text: str


def snakemake(
    words: tuple[str, ...], folder: Path, environment: dict[str, str], timeout: float
) -> Done:
    """Run ``snakemake <words>`` in `folder`."""
    output = folder / "output.txt"
    process = _CONTEXT.Process(target=_main, args=(words, folder, environment, output))
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
    return Done(process.exitcode or 0, output.read_text())


def _main(words: tuple[str, ...], folder: Path, environment: dict[str, str], output: Path) -> None:
    from snakemake.cli import main

    with output.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *words]
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    main(list(words))
