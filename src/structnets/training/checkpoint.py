"""Checkpoints of a run: written atomically, two kept, a damaged one passed over."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path
from typing import Any

import torch

from structnets.files import atomic_path

logger = logging.getLogger(__name__)
KEEP = 2


def save_checkpoint(directory: Path, step: int, state: dict[str, Any]) -> bool:
    """Write the state after `step` and drop all but the newest two.

    Returns
    -------
    bool
        False if the disk refused (full, say): training can go on, the older checkpoints stay,
        and nothing half-written is left.
    """
    path = directory / f"step-{step:09d}.pt"
    try:
        with atomic_path(path) as temporary:
            torch.save(state, temporary)
    except (OSError, RuntimeError) as error:
        logger.warning("checkpoint %s could not be written (%s); the run goes on", path, error)
        return False
    for old in _newest_first(directory)[KEEP:]:
        old.unlink(missing_ok=True)
    return True


def load_checkpoint(directory: Path) -> dict[str, Any] | None:
    """Return the newest readable state, or None if there is none."""
    for path in _newest_first(directory):
        try:
            with zipfile.ZipFile(path) as archive:  # torch.load reads past flipped bytes
                if member := archive.testzip():
                    raise ValueError(f"wrong checksum of {member}")
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file raises many types
            logger.warning("checkpoint %s is damaged (%s); trying an older one", path, error)
    return None


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-*.pt"), reverse=True)
