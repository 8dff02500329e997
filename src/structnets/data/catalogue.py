"""What is known of each data set before any file is read (standard library only).

The workflow plans runs, and specs are checked, from these facts: image shape, classes,
sizes of the splits, and the parameters its preparation accepts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """Facts of one data set.

    Attributes
    ----------
    name : str
        The name specs and folders use.
    image_shape : tuple of int
        (C, H, W) of every image, uint8.
    classes : tuple of str
        Class names; a label is an index into them.
    train_count, test_count : int
        Number of images of each split.
    parameters : tuple of str
        Keys that the ``prepare`` object of a spec may hold.
    """

    name: str
    image_shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train_count: int
    test_count: int
    parameters: tuple[str, ...] = ()


_DIGIT_NAMES = tuple(str(digit) for digit in range(10))
_PHOTOGRAPHS = (
    *("astronaut", "cat", "coffee", "galaxies", "motorcycle"),
    *("retina", "rocket", "temple", "tissue", "flower"),
)

DATASETS: Mapping[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("mnist", (1, 28, 28), _DIGIT_NAMES, 60_000, 10_000),
        Dataset("digits", (1, 28, 28), _DIGIT_NAMES, 1_437, 360),
        Dataset("photo_crops", (3, 32, 32), _PHOTOGRAPHS, 1_000, 300),
    )
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


def check_parameters(name: str, prepare: Any) -> None:
    """Check the ``prepare`` object of a spec against what data set `name` accepts.

    Raises
    ------
    ValueError
        If the data set is unknown, `prepare` is not an object, or a key is not accepted.
    """
    allowed = find_dataset(name).parameters
    if not isinstance(prepare, Mapping):
        raise ValueError(f"prepare parameters of {name} must be an object, got {prepare!r}")
    if unknown := sorted(set(prepare) - set(allowed)):
        raise ValueError(
            f"unknown prepare parameter {', '.join(map(repr, unknown))} for {name}; "
            f"allowed: {', '.join(allowed) or 'none'}"
        )


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
    try:
        request = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the data request {text!r} is not valid JSON: {error}") from error
    if not isinstance(request, dict) or "name" not in request:
        raise ValueError(f"the data request must be an object with a name, got {text!r}")
    if request["name"] != name:
        raise ValueError(f"the data request names {request['name']!r}, this prepares {name!r}")
    prepare = request.get("prepare", {})
    check_parameters(name, prepare)
    return dict(prepare)
