"""Folders of empty files and tables that the tests of listings share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of empty files by their paths, and of tables by their lines."""

    def files(*names: str, **tables: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for name, text in tables.items():
            table = tmp_path / name.replace("__", ".")
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text(text)
        return tmp_path

    return files
