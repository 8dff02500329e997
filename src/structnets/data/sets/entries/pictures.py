"""Pictures of one's own: not one data set, but as many as there are lists of files."""

from structnets.data.sets.entries.entry import Allowed, DatasetEntry

SIDES = (32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320)
FITS = ("short", "squash")
_STORED: dict[str, Allowed] = {
    "geometry": tuple(f"{fit}{side}" for fit in FITS for side in SIDES),
    "storage": ("raw", "jpeg"),
}
_MOST = 1_000_000_000  # as many as a study lists; it is checked there


def _pictures(
    reader: str, note: str, classes: tuple[str, ...], form: str, parameters: dict[str, Allowed]
) -> DatasetEntry:
    return DatasetEntry(
        f"structnets.data.sets.pictures:{reader}",
        note,
        (3, 256, 256),
        classes,
        _MOST,
        0,
        form,
        {"content": (str,), **parameters, **_STORED},
        largest_class=0 if classes else _MOST,
        minutes=240,
        memory_mb=4000,
        threads=2,
        listed=True,
    )


ENTRIES: dict[str, DatasetEntry] = {
    "pictures": _pictures(
        "read",
        "pictures of one's own, a study's (`structnets new-study --images DIR`)",
        (),
        "pictures",
        {"classes": (2, int)},
    ),
    "picture_scores": _pictures(
        "read_scores",
        "pictures of one's own with a score each (`structnets new-study --table FILE`)",
        ("score",),
        "picture_scores",
        {"label_column": (str,)},
    ),
    "picture_labels": _pictures(
        "read_labels",
        "pictures of one's own with several labels each (`structnets new-study --table FILE`)",
        (),
        "picture_labels",
        {"classes": (2, int)},
    ),
}
