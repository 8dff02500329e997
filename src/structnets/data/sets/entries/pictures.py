"""Pictures of one's own: not one data set, but as many as there are lists of files."""

from structnets.data.sets.entries.entry import Allowed, DatasetEntry

SIDES = (32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320)
FITS = ("short", "squash")
_PARAMETERS: dict[str, Allowed] = {
    "content": (str,),
    "classes": (2, int),
    "geometry": tuple(f"{fit}{side}" for fit in FITS for side in SIDES),
    "storage": ("raw", "jpeg"),
}

ENTRIES: dict[str, DatasetEntry] = {
    "pictures": DatasetEntry(
        "structnets.data.sets.pictures:read",
        "pictures of one's own, a study's (`structnets new-study --images DIR`)",
        (3, 256, 256),
        (),
        1_000_000_000,  # as many as a study lists; it is checked there
        0,
        "pictures",
        _PARAMETERS,
        largest_class=1_000_000_000,
        minutes=240,
        memory_mb=4000,
        threads=2,
        listed=True,
    ),
}
