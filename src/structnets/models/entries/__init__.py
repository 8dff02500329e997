"""The models of each chapter by name, as data: nothing here imports torch."""

from structnets.models.entries import chapter3, chapter5
from structnets.models.entries.entry import Entry

__all__ = ["ENTRIES", "Entry"]

ENTRIES: dict[str, Entry] = {**chapter3.ENTRIES, **chapter5.ENTRIES}
