"""Models of no chapter: what stands beside the nets in studies of one's own."""

from __future__ import annotations

from structnets.models.entries.entry import ModelEntry

ENTRIES = {
    "coarse_pixels": ModelEntry(
        "structnets.models.coarse_pixels:CoarsePixels",
        "features of the linear row beside scores of pictures; not in the thesis",
    ),
}
