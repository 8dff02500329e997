"""Array files of prepared data, and what a manifest states of them."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.manifest import content_digest
from structnets.files import atomic_path, sha256_file


def state(
    building: Path,
    names: Sequence[str],
    dataset: str,
    prepare: Mapping[str, Any],
    statistics: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the entries of a manifest that follow from the written files."""
    paths = [building / name for name in names]
    files = {
        path.name: {"sha256": sha256_file(path), "size": path.stat().st_size} for path in paths
    }
    manifest = {
        "dataset": dataset,
        "prepare": dict(prepare),
        "files": files,
        "versions": {"numpy": np.__version__, "python": platform.python_version()},
        "digest": content_digest(dataset, prepare, files, statistics),
    }
    return manifest if statistics is None else {**manifest, "statistics": dict(statistics)}


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array file whole or not at all; an error names it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    except OSError as error:
        # numpy reports a full disk without the name of the file.
        raise OSError(f"could not write {path}: {error}") from error
