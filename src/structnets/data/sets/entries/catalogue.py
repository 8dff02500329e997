"""The data sets by name, and what may be asked of their preparation (standard library only).

The workflow plans runs, and specs are checked, from the facts of the entries, before any file is
read: `structnets.data.sets.entries`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from structnets.data.sets.entries import ENTRIES, DatasetEntry
from structnets.entries import Registry

DATASETS: Registry[DatasetEntry] = Registry("data set", ENTRIES, "structnets.datasets")


def find_dataset(name: str) -> DatasetEntry:
    """Return the facts of the data set `name`.

    Parameters
    ----------
    name : str
        One of this library or of an installed package (entry points ``structnets.datasets``), or
        the `DatasetEntry` of a module as ``package.module:object``, which imports that module.

    Raises
    ------
    ValueError
        If no such data set is known; the message lists those that are.
    """
    return DATASETS.find(name, paths=True)


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
    facts = find_dataset(name)
    return len(facts.classes) or prepare.get("classes", facts.parameters["classes"][0])


def most_training_images(name: str, prepare: Mapping[str, Any]) -> int:
    """Return the number of training images; for a subset of classes, the most it can have."""
    facts = find_dataset(name)
    if facts.classes or "classes" not in prepare:
        return facts.train_count
    return min(facts.train_count, prepare["classes"] * facts.largest_class)


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
    for key, value in without_defaults(name, prepare).items():
        if not any(_is(value, choice) for choice in allowed[key]):
            choices = ", ".join(
                f"any {choice.__name__}" if isinstance(choice, type) else json.dumps(choice)
                for choice in allowed[key]
            )
            raise ValueError(
                f"prepare parameter {key!r} of {name} is {value!r}; allowed: {choices}, "
                "or leave it out"
            )


def without_defaults(name: str, prepare: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what data set `name` takes anyway: ``folds: 10`` of a cohort, say."""
    usual = find_dataset(name).defaults
    return {k: v for k, v in prepare.items() if k not in usual or not _is(v, usual[k])}


def _is(value: Any, choice: bool | int | str | type) -> bool:
    if isinstance(choice, type):
        return isinstance(value, choice) and not (choice is int and isinstance(value, bool))
    return value == choice and type(value) is type(choice)


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
    return request["name"], without_defaults(request["name"], prepare)
