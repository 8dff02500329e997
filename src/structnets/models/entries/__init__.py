"""The models of each chapter by name, as data: nothing here imports torch."""

from structnets.models.entries import chapter3, chapter4, chapter5, chapter6
from structnets.models.entries.entry import ModelEntry

__all__ = ["ENTRIES", "ModelEntry"]

_CHAPTERS = (chapter3, chapter4, chapter5, chapter6)
ENTRIES: dict[str, ModelEntry] = {
    name: entry for chapter in _CHAPTERS for name, entry in chapter.ENTRIES.items()
}
