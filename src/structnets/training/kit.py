"""Train the runs of a kit, the most wanted first, within a time that somebody lends.

A kit is a folder that `pipelines.pack_kit` makes for a machine that has little more than torch:
this library, specs, and data as small as they come. ``python run.py`` in it trains. What was
reached comes back as a few archives (`structnets.training.kit_archives`), written anew every
minute, from which another call goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets.files import read_json
from structnets.identity import prepared_name
from structnets.training.kit_archives import checkpoints, pack, unpack
from structnets.training.reporting import Progress, StoppedError
from structnets.training.run_files import is_published

logger = logging.getLogger(__name__)

PACK_SECONDS = 60.0
RESERVE = 20.0
"""Seconds at the end in which nothing trains: processes end, and what they left is packed."""
_WAIT = 0.2


@dataclass
class Lent:
    """What somebody lends: a machine, for a time.

    Parameters
    ----------
    seconds : float
        From now.
    processes : int
        Trainings at a time. Small nets leave most of a device idle, so several share it.
    device : str
        ``cpu`` or ``cuda``.
    threads : int
        Of each training.
    """

    seconds: float
    processes: int = 1
    device: str = "cpu"
    threads: int = 1
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.seconds - (time.monotonic() - self.begun)


def train_kit(kit: Path, out: Path, lent: Lent, resume: Path | None = None) -> dict[str, list[str]]:
    """Train what the time allows; pack what was reached.

    Parameters
    ----------
    kit : Path
        Folder that `pipelines.pack_kit` made.
    out : Path
        Where the archives appear; nothing else is written there.
    lent : Lent
        Machine and time.
    resume : Path, optional
        Archives of an earlier call, to go on from.

    Returns
    -------
    dict
        Run ids that are ``finished``, ``begun`` (they have a checkpoint to go on from),
        ``waiting`` and ``failed``.

    Raises
    ------
    ValueError
        If an archive holds what no kit writes.
    """
    work = kit / "work"
    if resume is not None:
        unpack(resume, work)
    waiting = [str(name) for name in read_json(kit / "kit.json")["runs"]]
    waiting = [name for name in waiting if not _is_done(kit, name)]
    running: dict[str, subprocess.Popen[bytes]] = {}
    failed: list[str] = []
    packed = time.monotonic()
    try:
        while (waiting or running) and lent.left > RESERVE:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode:
                    failed.append(name)
                    logger.warning("%s failed; its last words: %s", name, _last_words(kit, name))
                else:
                    logger.info("%s is finished; %.0f s left", name, lent.left)
            while waiting and len(running) < lent.processes:
                name = waiting.pop(0)
                running[name] = _start(kit, name, lent)
            if time.monotonic() - packed > PACK_SECONDS:
                pack(work, out)
                packed = time.monotonic()
            time.sleep(_WAIT)
    finally:
        _end(running.values())
        left_out = pack(work, out)
    for name in left_out:
        logger.warning("%s is too large for the archives and stays here", name)
    every = [str(name) for name in read_json(kit / "kit.json")["runs"]]
    finished = [name for name in every if _is_done(kit, name)]
    stopped = [name for name in running if name not in finished]
    begun = [name for name in stopped if checkpoints(work / "runs" / name)]
    return {
        "finished": finished,
        "begun": begun,
        "waiting": [*(name for name in stopped if name not in begun), *waiting],
        "failed": failed,
    }


def _start(kit: Path, name: str, lent: Lent) -> subprocess.Popen[bytes]:
    """Start a training, whose data are made ready first, in a process of its own."""
    folder = kit / "work" / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    source = str(Path(__file__).resolve().parents[2])
    code = "import sys; from structnets.training.kit import _train; _train(*sys.argv[1:])"
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(kit), name, lent.device, str(lent.threads)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": source, "PYTHONUNBUFFERED": "1"},
        )


class UntilTold(Progress):
    """Print progress; ask to stop, which saves the state, once this process is told to end."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told = False
        signal.signal(signal.SIGTERM, self._end)

    def _end(self, *_: Any) -> None:
        self.told = True

    def stop_requested(self) -> bool:
        """Say whether this process was told to end."""
        return self.told


def _train(kit: str, name: str, device: str, threads: str) -> None:
    """Train one run; called in the process that `_start` starts."""
    from structnets.training.run import run_spec

    reporter = UntilTold(name)

    root = Path(kit)
    spec = read_json(root / "specs" / f"{name}.json")
    prepared = make_ready(root, spec["data"])
    out = root / "work" / "runs" / name
    with contextlib.suppress(StoppedError):
        run_spec(
            spec,
            prepared,
            out,
            out / "work",
            reporter=reporter,
            device=device,
            threads=int(threads),
        )


def make_ready(kit: Path, data: dict[str, Any]) -> Path:
    """Return the prepared data of a kit; the first process that needs them makes them."""
    import fcntl

    folder = kit / "prepared" / prepared_name(data)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Preparing locks a file of its own, and would wait for this one for ever if it were the same.
    with (folder.parent / f".{folder.name}.ready.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "manifest.json").is_file():
            return folder
        packed = kit / "packed" / f"{folder.name}.tar.gz"
        if packed.is_file():
            # Under another name first: half of it would be taken for data when a call is killed.
            part = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            with tarfile.open(packed) as archive:
                archive.extractall(part, filter="data")
            (part / folder.name).replace(folder)
            part.rmdir()
        else:
            from structnets.data.sets.preparation import Preparation
            from structnets.forms.writing import prepare

            originals = kit / "originals"
            asked = Preparation(data["name"], data["prepare"], originals, workers=2)
            prepare(asked, folder)
    return folder


def _is_done(kit: Path, name: str) -> bool:
    return is_published(kit / "work" / "runs" / name, read_json(kit / "specs" / f"{name}.json"))


def _last_words(kit: Path, name: str) -> str:
    lines = (kit / "work" / "runs" / name / "log").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "none"


def _end(processes: Iterable[subprocess.Popen[bytes]], patience: float = RESERVE / 2) -> None:
    """End processes, which save their state; those that do not heed it are killed."""
    processes = list(processes)
    for process in processes:
        process.terminate()
    end = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
