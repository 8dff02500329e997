"""How a maker of a hostile file writes it, and what several kinds of them hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Maker = Callable[[Path], Path]
SPEC = {
    "chapter": 3,
    "preset": "smoke",
    "seed": 0,
    "model": {"name": "cnn_b", "options": {"kernel_sizes": [3, 3, 3]}},
    "data": {"name": "mnist", "train_size": 20},
    "recipe": {"optimizer": {"name": "adam", "lr": 0.01}, "epochs": 3, "batch_size": 5},
}
NESTED = "[" * 100_000 + "]" * 100_000


def of_bytes(name: str, content: bytes | Callable[[], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


def of_text(name: str, text: str) -> Maker:
    return of_bytes(name, text.encode())
