"""The models by name, as data: nothing here imports torch."""

from structnets.models.entries import chapter3, chapter4, chapter5, chapter6, own
from structnets.models.entries.entry import ModelEntry

__all__ = ["ENTRIES", "ModelEntry"]

_PARTS = (chapter3, chapter4, chapter5, chapter6, own)
ENTRIES: dict[str, ModelEntry] = {
    name: entry for part in _PARTS for name, entry in part.ENTRIES.items()
}
