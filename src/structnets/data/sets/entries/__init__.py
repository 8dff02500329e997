"""The data sets by name, as data: nothing here imports numpy or reads a file."""

from structnets.data.sets.entries import boundaries, cohorts, photographs, pictures
from structnets.data.sets.entries.entry import DatasetEntry, Original

__all__ = ["ENTRIES", "DatasetEntry", "Original"]

ENTRIES: dict[str, DatasetEntry] = {
    **photographs.ENTRIES,
    **cohorts.ENTRIES,
    **boundaries.ENTRIES,
    **pictures.ENTRIES,
}
