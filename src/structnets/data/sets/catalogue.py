"""What is known of each data set before any file is read (standard library only).

The workflow plans runs, and specs are checked, from these facts: image shape, classes,
sizes of the splits, and the parameters its preparation accepts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """Facts of one data set.

    Attributes
    ----------
    name : str
        The name specs and folders use.
    image_shape : tuple of int
        (C, H, W) of every image, or (C, X, Y, Z) of every volume; uint8.
    classes : tuple of str
        Class names; a label is an index into them. Empty where only the originals tell which
        classes a subset has; `class_count` tells how many.
    train_count, test_count : int
        Number of images of each split, of the whole data set. A cohort has no test set, and 0
        if it is the user's. Of an infinite set, those of one epoch.
    parameters : mapping of str to tuple
        Keys that the ``prepare`` object of a spec may hold, with the values each allows.
        A key that is left out means the default. A type stands for all its values.
    form : str
        How it is stored, and so read and learned (`structnets.forms.tasks.FORMS`).
    """

    name: str
    image_shape: tuple[int, ...]
    classes: tuple[str, ...]
    train_count: int
    test_count: int
    parameters: Mapping[str, tuple[bool | int | str | type, ...]] = field(default_factory=dict)
    form: str = "splits"

    @property
    def cohort(self) -> bool:
        """Whether subjects are cross-validated: seed s holds out fold s mod k of a repetition."""
        return self.form == "cohort"


_DIGIT_NAMES = tuple(str(digit) for digit in range(10))
_PHOTOGRAPHS = (
    *("astronaut", "cat", "coffee", "galaxies", "motorcycle"),
    *("retina", "rocket", "temple", "tissue", "flower"),
)
_CIFAR10_NAMES = "airplane automobile bird cat deer dog frog horse ship truck"
_CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_CIFAR10_CLASSES = tuple(_CIFAR10_NAMES.split())
_CIFAR100_CLASSES = tuple(_CIFAR100_NAMES.split())
# A copy that lacks images is a data set of its own: asked for in so many words, never the default.
_PARTIAL = {"partial": (True,)}
_IMAGENET_CLASSES = 1000
_LARGEST_IMAGENET_CLASS = 1300
# The first of each is the default.
_SHARDS = {
    "geometry": ("squash256", "squash128", "short256", "short320"),
    "storage": ("raw", "jpeg"),
}
_IMAGENET = {"classes": (_IMAGENET_CLASSES, 100, 20, 10), **_SHARDS, **_PARTIAL}
# The grid of MNI152 at 2 mm; a coarser one averages over its cubes.
_MNI = (1, 91, 109, 91)
_OF_COHORTS = {"grid_mm": (4, 6, 8), "folds": (2, 3, 4, 5, 8)}
_OF_SCANS = {
    **_OF_COHORTS,
    "bias_field": (False,),
    "strip": (False,),
    "registration": ("flirt",),
    "sessions": ("all",),
    "exclude_failed": (True,),
    "exclude": (list,),
    "keep": (list,),
}
# Outlines are learned and found at every pixel, so that these two are not classes of images.
_PIXELS = ("background", "boundary")
# The first of each is the default.
_OF_BLOBS = {
    "difficulty": ("binary", "textures", "hard"),
    "textures": ("kth_tips", "skimage"),
}
_OF_USERS = {**_OF_SCANS, "layout": ("folder",), "label_column": (str,), "classes": (str,)}

DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("mnist", (1, 28, 28), _DIGIT_NAMES, 60_000, 10_000),
        Dataset("digits", (1, 28, 28), _DIGIT_NAMES, 1_437, 360),
        Dataset("photo_crops", (3, 32, 32), _PHOTOGRAPHS, 1_000, 300),
        Dataset("cifar10", (3, 32, 32), _CIFAR10_CLASSES, 50_000, 10_000, _PARTIAL),
        Dataset("cifar10_jpeg", (3, 32, 32), _CIFAR10_CLASSES, 50_000, 10_000, _PARTIAL),
        Dataset("imagenet", (3, 256, 256), (), 1_281_167, 50_000, _IMAGENET, "shards"),
        Dataset("photo_shards", (3, 256, 256), _PHOTOGRAPHS, 80, 40, _SHARDS, "shards"),
        Dataset(
            "simulated_cohort", _MNI, ("control", "patient"), 24, 0, _OF_COHORTS, form="cohort"
        ),
        Dataset("oasis_ad126", _MNI, ("normal", "alzheimer"), 126, 0, _OF_SCANS, "cohort"),
        Dataset("adni", _MNI, ("CN", "AD"), 0, 0, _OF_SCANS, "cohort"),
        # A user's own, in BIDS or a plain folder; the parameters name its classes.
        Dataset("cohort", _MNI, ("negative", "positive"), 0, 0, _OF_USERS, "cohort"),
        Dataset("cifar100", (3, 32, 32), _CIFAR100_CLASSES, 50_000, 10_000, _PARTIAL),
        # Training images are those of train and val.
        Dataset(
            "bsds500",
            (3, 321, 481),
            _PIXELS,
            300,
            200,
            {"merge": ("majority",), **_PARTIAL},
            form="boundaries",
        ),
        Dataset("made_boundaries", (3, 48, 64), _PIXELS, 16, 4, form="boundaries"),
        Dataset("textured_blobs", (1, 64, 64), _PIXELS, 10_000, 100, _OF_BLOBS, form="blobs"),
    )
}


# The metrics that a spec may report, by form; the first is the usual one.
_OF_OUTLINES = ("ods", "ois", "ap")
METRICS: Mapping[str, tuple[str, ...]] = {
    "splits": ("accuracy",),
    "cohort": ("accuracy",),
    "shards": ("accuracy",),
    "boundaries": _OF_OUTLINES,
    "blobs": _OF_OUTLINES,
}


def find_dataset(name: str) -> Dataset:
    """Return the facts of the data set `name`.

    Raises
    ------
    ValueError
        If no such data set is known; the message lists those that are.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; known: {', '.join(sorted(DATASETS))}")
    return DATASETS[name]


def class_count(name: str, prepare: Mapping[str, Any]) -> int:
    """Return the number of classes of a data set as it is prepared.

    A partial copy of ImageNet has what its manifest says, unless ``classes`` is given.

    Parameters
    ----------
    name : str
        Data set.
    prepare : mapping
        Accepted parameters of its preparation.
    """
    return len(find_dataset(name).classes) or prepare.get("classes", _IMAGENET_CLASSES)


def most_training_images(name: str, prepare: Mapping[str, Any]) -> int:
    """Return the number of training images; for a subset of classes, the most it can have."""
    facts = find_dataset(name)
    if facts.classes or "classes" not in prepare:
        return facts.train_count
    return min(facts.train_count, prepare["classes"] * _LARGEST_IMAGENET_CLASS)


def check_parameters(name: str, prepare: Any) -> None:
    """Check the ``prepare`` object of a spec against what data set `name` accepts.

    Raises
    ------
    ValueError
        If the data set is unknown, `prepare` is not an object, or a key or its value is not
        accepted.
    """
    allowed = find_dataset(name).parameters
    if not isinstance(prepare, Mapping):
        raise ValueError(f"prepare parameters of {name} must be an object, got {prepare!r}")
    if unknown := sorted(set(prepare) - set(allowed)):
        raise ValueError(
            f"unknown prepare parameter {', '.join(map(repr, unknown))} for {name}; "
            f"allowed: {', '.join(allowed) or 'none'}"
        )
    for key, value in prepare.items():
        if not any(_is(value, choice) for choice in allowed[key]):
            choices = ", ".join(
                f"any {choice.__name__}" if isinstance(choice, type) else json.dumps(choice)
                for choice in allowed[key]
            )
            raise ValueError(
                f"prepare parameter {key!r} of {name} is {value!r}; allowed: {choices}, "
                "or leave it out"
            )


def _is(value: Any, choice: bool | int | str | type) -> bool:
    if isinstance(choice, type):
        return isinstance(value, choice)
    return value == choice and type(value) is type(choice)


def parse_request(text: str, name: str) -> dict[str, Any]:
    """Read the ``data`` object of a spec, which must ask for data set `name`.

    Parameters
    ----------
    text : str
        JSON such as ``{"name": "mnist", "prepare": {}, "train_size": 300}``; keys that do
        not concern the preparation are ignored.
    name : str
        The data set that is about to be prepared.

    Returns
    -------
    dict
        The accepted prepare parameters.

    Raises
    ------
    ValueError
        If `text` is not such an object, names another data set or an unknown parameter.
    """
    named, prepare = read_request(text)
    if named != name:
        raise ValueError(f"the data request names {named!r}, this prepares {name!r}")
    return prepare


def read_request(text: str) -> tuple[str, dict[str, Any]]:
    """Read the ``data`` object of a spec.

    Returns
    -------
    str
        Name of the data set.
    dict
        The accepted prepare parameters.

    Raises
    ------
    ValueError
        If `text` is not such an object, or names an unknown data set or parameter.
    """
    try:
        request = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the data request {text!r} is not valid JSON: {error}") from error
    if not isinstance(request, dict) or "name" not in request:
        raise ValueError(f"the data request must be an object with a name, got {text!r}")
    prepare = request.get("prepare", {})
    check_parameters(request["name"], prepare)
    return request["name"], dict(prepare)
