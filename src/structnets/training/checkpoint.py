"""Checkpoints of a run: written atomically, two kept, a damaged one passed over."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from structnets.training.tensor_files import check_weights, load_tensors, save_tensors

logger = logging.getLogger(__name__)
_NEEDED = {"step", "model"}
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
        save_tensors(path, state)
    except OSError as error:
        logger.warning("checkpoint %s could not be written (%s); the run goes on", path, error)
        return False
    for old in _newest_first(directory)[KEEP:]:
        old.unlink(missing_ok=True)
    return True


def load_checkpoint(directory: Path) -> dict[str, Any] | None:
    """Return the newest readable state, or None if there is none."""
    for path in _newest_first(directory):
        try:
            state = load_tensors(path)
            if not isinstance(state, dict) or not set(state) >= _NEEDED:
                raise ValueError(f"{path} is no checkpoint of a training")
            check_weights(state["model"], path)
            return state
        except (ValueError, OSError) as error:
            logger.warning("checkpoint %s is damaged (%s); trying an older one", path, error)
    return None


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob("step-*.pt"), reverse=True)
