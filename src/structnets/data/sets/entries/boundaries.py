"""Data sets whose labels are the outlines in an image."""

from structnets.data.sets.entries import classes
from structnets.data.sets.entries.entry import DatasetEntry, Original

ENTRIES: dict[str, DatasetEntry] = {
    # Training images are those of train and val.
    "bsds500": DatasetEntry(
        "structnets.data.sets.bsds:read",
        "Arbelaez, Maire, Fowlkes & Malik 2011, as released in 2013; thesis section 4.4.2",
        (3, 321, 481),
        classes.PIXELS,
        300,
        200,
        "boundaries",
        {"merge": ("majority",), "partial": (True,)},
        originals=(
            Original(
                ("bsds500/BSDS500/data", "bsds500/BSR/BSDS500/data", "BSR/BSDS500/data"),
                where=(
                    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/"
                    "BSR_bsds500.tgz, unpack it,"
                ),
                size=70_763_455,
            ),
        ),
    ),
    "made_boundaries": DatasetEntry(
        "structnets.data.sets.made_boundaries:read",
        "coloured textured blobs with three made annotators; built in",
        (3, 48, 64),
        classes.PIXELS,
        16,
        4,
        "boundaries",
        minutes=10,
        memory_mb=1000,
    ),
    "textured_blobs": DatasetEntry(
        "structnets.data.sets.textured_blobs:read",
        "blobs drawn anew at every step, of KTH-TIPS' textures or built-in ones; Figure 10",
        (1, 64, 64),
        classes.PIXELS,
        10_000,
        100,
        "blobs",
        # The first of each is the default.
        {
            "difficulty": ("binary", "textures", "hard"),
            "textures": ("kth_tips", "skimage"),
            "held_out": ("photographs", "classes"),
        },
        originals=(
            Original(
                ("kth_tips_gray",),
                where="the grey images of KTH-TIPS, a folder per class,",
                unless=("textures", "skimage"),
            ),
        ),
    ),
}
